import CTrainingKernels
import FormatTestSupport
import Testing

@Suite("Kernels of selective scans")
struct ScanKernelTests {
  /// Steps, channels and states around those of chunks, vectors and blocks of states.
  static let shapes = [
    (0, 3, 2), (1, 1, 1), (1, 17, 3), (2, 15, 16), (3, 32, 17), (5, 70, 1), (7, 33, 33),
    (16, 64, 2), (17, 3, 2), (31, 16, 16), (32, 49, 4),
  ]

  /// Rows with gaps between them.
  private func spread(_ numbers: [Float], _ columns: Int, stride: Int) -> [Float] {
    (0..<numbers.count / columns * stride).map {
      $0 % stride < columns ? numbers[$0 / stride * columns + $0 % stride] : untouched
    }
  }

  /// Rows without them, which must be as they were.
  private func gathered(_ numbers: [Float], _ columns: Int, stride: Int) -> [Float] {
    let gaps = numbers.indices.filter { $0 % stride >= columns }
    #expect(gaps.allSatisfy { numbers[$0] == untouched })
    return numbers.indices.filter { $0 % stride < columns }.map { numbers[$0] }
  }

  @Test("Results agree with double precision for any shape", arguments: shapes)
  func results(steps: Int, channels: Int, states: Int) {
    let scan = ScanReference(steps: steps, channels: channels, states: states, seed: 1)
    let expected = scan.results()
    let (stride, mapStride) = (channels + 2, states + 1)
    func rows(_ numbers: [Float]) -> [Float] { spread(numbers, channels, stride: stride) }
    func maps(_ numbers: [Float]) -> [Float] { spread(numbers, states, stride: mapStride) }
    var shape = BKScan(
      steps: steps, channels: channels, states: states, stride: stride, state_stride: mapStride)
    let found = onEveryLevel([
      rows(scan.u), rows(scan.dt), rows(scan.a), maps(scan.b), maps(scan.c), scan.d,
      rows(scan.before), rows(scan.before), rows(scan.u),
    ]) { $0.scan(&shape, $1[0], $1[1], $1[2], $1[3], $1[4], $1[5], $1[6], $1[7], $1[8]) }
    expectClose(gathered(found[7], channels, stride: stride), expected.after, "states")
    expectClose(gathered(found[8], channels, stride: stride), expected.y, "y")
  }

  @Test("Derivatives agree with double precision for any shape", arguments: shapes)
  func derivatives(steps: Int, channels: Int, states: Int) {
    let scan = ScanReference(steps: steps, channels: channels, states: states, seed: 2)
    let expected = scan.results()
    let (stride, mapStride) = (channels + 1, states + 2)
    func rows(_ numbers: [Float]) -> [Float] { spread(numbers, channels, stride: stride) }
    func maps(_ numbers: [Float]) -> [Float] { spread(numbers, states, stride: mapStride) }
    var shape = BKScan(
      steps: steps, channels: channels, states: states, stride: stride, state_stride: mapStride)
    let found = onEveryLevel([
      rows(scan.u), rows(scan.dt), rows(scan.a), maps(scan.b), maps(scan.c), scan.d,
      rows(scan.before), rows(scan.dy), rows(scan.dh), rows(scan.u), rows(scan.u),
      rows(scan.a.map { _ in 0 }), maps(scan.b), maps(scan.b), scan.d.map { _ in 0 },
    ]) {
      $0.scan_backward(
        &shape, $1[0], $1[1], $1[2], $1[3], $1[4], $1[5], $1[6], $1[7], $1[8], $1[9], $1[10],
        $1[11], $1[12], $1[13], $1[14])
    }
    expectClose(gathered(found[8], channels, stride: stride), expected.dh, "dh")
    expectClose(gathered(found[9], channels, stride: stride), expected.du, "du")
    expectClose(gathered(found[10], channels, stride: stride), expected.ddt, "ddt")
    expectClose(gathered(found[11], channels, stride: stride), expected.da, "da")
    expectClose(gathered(found[12], states, stride: mapStride), expected.db, "db")
    expectClose(gathered(found[13], states, stride: mapStride), expected.dc, "dc")
    expectClose(found[14], expected.dd, "dd")
  }

  @Test("Derivatives of rates and skips are added to what is there, steps backwards")
  func accumulation() {
    // (2^24 - 2^24) + 1; the other way 1 would be lost.
    var shape = BKScan(steps: 2, channels: 1, states: 1, stride: 1, state_stride: 1)
    let found = onEveryLevel([
      [1, 0x1p24], [1, 1], [0], [0, 0], [0, 0], [0], [1], [1, -1], [0], [0, 0], [0, 0], [5],
      [0, 0], [0, 0], [0x1p24],
    ]) {
      $0.scan_backward(
        &shape, $1[0], $1[1], $1[2], $1[3], $1[4], $1[5], $1[6], $1[7], $1[8], $1[9], $1[10],
        $1[11], $1[12], $1[13], $1[14])
    }
    #expect(found[11] == [5])
    #expect(found[14] == [1])
  }

  @Test("Infinite maps leave the sums over channels alone where no channel is")
  func lanesBeyondChannels() {
    var shape = BKScan(steps: 1, channels: 1, states: 1, stride: 1, state_stride: 1)
    let found = onEveryLevel([
      [1], [1], [-1], [.infinity], [.infinity], [0], [0], [1], [0], [0], [0], [0], [0], [0], [0],
    ]) {
      $0.scan_backward(
        &shape, $1[0], $1[1], $1[2], $1[3], $1[4], $1[5], $1[6], $1[7], $1[8], $1[9], $1[10],
        $1[11], $1[12], $1[13], $1[14])
    }
    #expect(found[12] == [.infinity] && found[13] == [.infinity])
  }
}
