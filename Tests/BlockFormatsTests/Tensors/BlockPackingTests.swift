import FormatTestSupport
import Testing

@testable import BlockFormats

@Suite("Packings: stored bits in a producer's places")
struct BlockPackingTests {
  /// A format, one of its packings, and a whole block's length.
  private struct Case: CustomTestStringConvertible, Sendable {
    let format: any BlockFormat
    let packing: BlockPacking
    let length: Int
    var testDescription: String { "\(format.id) as \(packing.name)" }
  }

  private static let cases: [Case] = {
    let further: [any BlockFormat] = [AbsmaxFormat.nf4(block: 2), AbsmaxFormat.nf4(block: 38)]
    return (FormatCatalog.all + further).flatMap { format in
      format.packings.compactMap { packing in
        format.layout.block.elementCount.map { Case(format: format, packing: packing, length: $0) }
      }
    }
  }()

  /// Packings in which every bit has a place.
  private static let placed = cases.filter {
    !BlockPacking.Coder($0.packing, $0.format.layout, elementCount: $0.length).places.isEmpty
  }

  @Test("The formats of producers with bytes of their own have packings")
  func known() {
    let ggml = [
      "q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "iq4_nl", "nvfp4_ggml", "tq1_0", "tq2_0", "q2_k",
      "q3_k", "q4_k",
      "q5_k", "q6_k",
    ]
    #expect(
      Self.cases.map(\.testDescription)
        == ["nf4 as bitsandbytes", "fp4_bnb as bitsandbytes"] + ggml.map { "\($0) as ggml" }
        + ["hif4 as pto", "nf4(block=2) as bitsandbytes", "nf4(block=38) as bitsandbytes"])
    // Trits have no bits of their own.
    #expect(Self.cases.count == Self.placed.count + 1)
    #expect(!Self.placed.contains { $0.format.id == "tq1_0" })
    // Blocks that begin in the middle of a byte are nobody's.
    #expect(AbsmaxFormat.nf4(block: 7).packings.isEmpty)
  }

  @Test(
    "Every bit has a place of its own in a block's bytes, and none is left over", arguments: placed)
  private func places(_ item: Case) {
    let places = BlockPacking.Coder(
      item.packing, item.format.layout, elementCount: item.length
    ).places
    let all = places.joined().joined()
    #expect(Set(all).count == all.count)
    for place in all {
      #expect(item.packing.streams.indices.contains(place.stream))
      #expect((0..<8 * item.packing.streams[place.stream].byteCount).contains(place.bit))
    }
    #expect(all.count == item.packing.streams.reduce(0) { $0 + 8 * $1.byteCount })
  }

  /// Shapes of whole blocks; for runs also any other.
  private static func shapes(_ item: Case) -> [[Int]] {
    let whole = [
      [item.length], [3, item.length], [2, 2, 2 * item.length], [0, item.length], [item.length, 0],
    ]
    guard case .run = item.format.layout.block else { return whole }
    return whole + [[1], [item.length - 1], [item.length + 1], [3, 5], [], [7, 13], [0]]
  }

  private func randomTensor(
    _ format: some BlockFormat, _ shape: [Int], _ generator: inout SeededGenerator
  ) throws -> QuantizedTensor {
    let planes = StorageLayout(of: format.layout, shape: shape).planes
    var fields: [String: [UInt32]] = [:]
    for (field, plane) in zip(format.layout.fields, planes) {
      fields[field.name] = (0..<plane.rowCount * plane.rowLength).map { _ in
        let code = UInt32(generator.next() >> UInt64(64 - plane.bitWidth))
        // Of three values only three codes stand for numbers.
        guard case .table(let table) = field.element.encoding else { return code }
        return code % UInt32(table.values.count)
      }
    }
    return try QuantizedTensor(format: format, shape: shape, codes: fields)
  }

  @Test("Random codes come back from the producer's bytes, in every shape", arguments: cases)
  private func roundTrip(_ item: Case) throws {
    var generator = SeededGenerator(seed: 12)
    for shape in Self.shapes(item) {
      let tensor = try randomTensor(item.format, shape, &generator)
      let streams = tensor.packed(as: item.packing)
      let again = try QuantizedTensor(
        format: item.format, shape: shape, packing: item.packing, streams: streams)
      #expect(again == tensor, "\(shape)")
      // As many bytes as the library stores, but for what it pads rows with and for trits.
      if shape.reduce(1, *) % item.length == 0 && item.format.id != "tq1_0" {
        #expect(streams.reduce(0) { $0 + $1.count } == tensor.storedByteCount, "\(shape)")
      }
    }
  }

  @Test("Every bit of the producer's whole blocks is in a code", arguments: placed)
  private func bytesRoundTrip(_ item: Case) throws {
    var generator = SeededGenerator(seed: 13)
    let streams = item.packing.streams.map { stream in
      (0..<3 * stream.byteCount).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    }
    let tensor = try QuantizedTensor(
      format: item.format, shape: [3, item.length], packing: item.packing, streams: streams)
    #expect(tensor.packed(as: item.packing) == streams)
  }

  @Test(
    "Bytes of another number are refused with both numbers and the name of the stream",
    arguments: cases)
  private func wrongCounts(_ item: Case) {
    func error(_ shape: [Int], _ streams: [[UInt8]]) -> StorageError? {
      do throws(StorageError) {
        _ = try QuantizedTensor(
          format: item.format, shape: shape, packing: item.packing, streams: streams)
        return nil
      } catch {
        return error
      }
    }
    let shape = [2, item.length]
    let right = item.packing.streams.map { [UInt8](repeating: 0, count: 2 * $0.byteCount) }
    #expect(error(shape, right) == nil)
    for (index, stream) in item.packing.streams.enumerated() {
      for change in [-1, 1, -2 * stream.byteCount, stream.byteCount] {
        var streams = right
        let count = 2 * stream.byteCount + change
        streams[index] = [UInt8](repeating: 0, count: count)
        #expect(
          error(shape, streams)
            == .wrongCount(field: stream.name, expected: 2 * stream.byteCount, actual: count))
      }
    }
    for streams in [[], right + [[]]] {
      #expect(
        error(shape, streams)
          == .wrongCount(
            field: "the streams of \(item.packing.name)", expected: item.packing.streams.count,
            actual: streams.count))
    }
    #expect(error([-1, item.length], right) == .badShape([-1, item.length]))
  }

  /// Three values in runs of seven, five of them in a byte of base 3.
  private static let trits = AbsmaxFormat(
    id: "trits", source: "this test",
    element: ElementFormat(name: "trit", table: ValueTable([-1, 0, 1])), block: .run(length: 7),
    packings: [
      BlockPacking(
        "base 3", streams: [("digits", byteCount: 2), ("scales", byteCount: 4)], padding: 1,
        pack: { codes in
          let digits = [codes[0].prefix(5), codes[0].suffix(2)].map { digits in
            UInt8(digits.reduce(0) { 3 * $0 + $1 })
          }
          return [digits, (0..<4).map { UInt8(truncatingIfNeeded: codes[1][0] >> (8 * $0)) }]
        },
        unpack: { bytes in
          let numbers = bytes[0].map { UInt32($0) }
          let digits = [81, 27, 9, 3, 1].map { numbers[0] / $0 % 3 }
          let scale = bytes[1].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
          return [digits + [numbers[1] / 3 % 3, numbers[1] % 3], [scale]]
        })
    ])

  @Test(
    "A packing may make bytes of whole blocks; the last run is padded to one",
    arguments: [0, 1, 5, 6, 7, 8, 21, 25])
  func wholeBlocks(count: Int) throws {
    let packing = try #require(Self.trits.packings.first)
    let values = (0..<count).map { Float([-2, 0, 2, 2][$0 % 4]) }
    let tensor = Tensor(values, shape: [count]).quantized(to: Self.trits)
    let streams = tensor.packed(as: packing)
    let blocks = (count + 6) / 7
    #expect(streams.map { $0.count } == [2 * blocks, 4 * blocks])
    // 01220 and 12 in base 3.
    if count >= 7 { #expect(Array(streams[0].prefix(2)) == [51, 5]) }
    // 21111 and 11: behind the last element stands the code of zero.
    if count == 8 { #expect(Array(streams[0].suffix(2)) == [202, 4]) }
    let again = try QuantizedTensor(
      format: Self.trits, shape: [count], packing: packing, streams: streams)
    #expect(again == tensor)
    #expect(
      throws: StorageError.wrongCount(
        field: "digits", expected: 2 * blocks, actual: 2 * blocks + 1)
    ) {
      try QuantizedTensor(
        format: Self.trits, shape: [count], packing: packing,
        streams: [streams[0] + [0], streams[1]])
    }
  }

  @Test("A short last run ends with its last byte, whose rest is the code of zero")
  func shortRun() throws {
    let format = AbsmaxFormat.nf4
    let packing = try #require(format.packings.first)
    let one = Float(1).bitPattern
    let tensor = try QuantizedTensor(
      format: format, shape: [67],
      codes: fieldCodes([UInt32](repeating: 15, count: 64) + [1, 2, 3], scales: [one, one]))
    let streams = tensor.packed(as: packing)
    #expect(streams[0] == [UInt8](repeating: 0xFF, count: 32) + [0x12, 0x37])
    #expect(streams[1] == [0, 0, 0x80, 0x3F, 0, 0, 0x80, 0x3F])
    let error = #expect(throws: StorageError.self) {
      try QuantizedTensor(
        format: format, shape: [67], packing: packing, streams: [streams[0] + [0], streams[1]])
    }
    #expect(error == .wrongCount(field: "weight", expected: 34, actual: 35))
  }

  #if os(macOS) || os(Linux)
  @Test("Tensors whose blocks are not whole have no producer's bytes")
  func mistakes() async {
    let tail = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let format = GGMLSignedFormat.q5_0
      _ = [Float](repeating: 1, count: 33).quantized(to: format).packed(as: format.packings[0])
    }
    #expect(reports(tail, "blocks of 32 along axis 0 of shape [33] have no ggml bytes"))
    let axis = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let format = HiF4Format.hif4
      _ = Tensor([Float](repeating: 1, count: 128), shape: [64, 2]).quantized(to: format, axis: 0)
        .packed(as: format.packings[0])
    }
    #expect(reports(axis, "blocks of 64 along axis 0 of shape [64, 2] have no pto bytes"))
  }
  #endif
}
