import BlockFormats
import FormatMetrics
import Foundation
import Testing

@Suite("The example of the README")
struct ReadmeExampleTests {
  /// The example itself; the lines between the markers are those of the README.
  private func example(print: (String) -> Void) {
    // begin
    let x = Tensor((0..<1024).map { Float($0 % 97) - 48.3 }, shape: [8, 128])
    let q = x.quantized(to: .mxfp4.with { $0.scaleRule = .powerOfTwo(.rceil) })
    let y = q.dequantized()
    let errors = ErrorStatistics(original: x.elements, reconstruction: y.elements)
    print("\(q.storedBytes.count) bytes, \(q.bitsPerElement) bits an element")
    print("QSNR \(errors.qsnr) dB, gain \(errors.gain), largest error \(errors.maxAbsoluteError)")
    // end
  }

  @Test("The README shows the code that this test compiles")
  func readmeShowsThisCode() throws {
    let file = URL(fileURLWithPath: #filePath)
    let root = file.deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let source = try String(contentsOf: file, encoding: .utf8)
    let readme = try String(
      contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
    let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
    let first = try #require(lines.firstIndex(of: "    // begin"))
    let last = try #require(lines.firstIndex(of: "    // end"))
    let body = lines[(first + 1)..<last].map { $0.dropFirst(4) }.joined(separator: "\n")
    let code = "import BlockFormats\nimport FormatMetrics\n\n\(body)"
    #expect(code.split(separator: "\n").count == 8)
    #expect(readme.contains("```swift\n\(code)\n```"))
  }

  /// The second example, on the caller's own buffers.
  private func halves(of x: Tensor) -> [UInt16] {
    // begin buffers
    func rounded(_ values: [Float]) -> [UInt16] {
      let quantizer = TensorQuantizer(format: .nvfp4, shape: [8, 128])
      var stored = quantizer.makeStorage()
      quantizer.encode(values.span, tensorScale: 0.01, into: &stored)
      var halves = [UInt16](repeating: 0, count: values.count)
      var span = halves.mutableSpan
      var bytes = span.mutableBytes
      quantizer.decode(stored, into: &bytes, as: .bfloat16)
      return halves
    }
    // end buffers
    return rounded(x.elements)
  }

  @Test("The README shows the code on buffers too, and it decodes to BF16")
  func buffers() throws {
    let file = URL(fileURLWithPath: #filePath)
    let root = file.deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let lines = try String(contentsOf: file, encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false)
    let readme = try String(
      contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
    let first = try #require(lines.firstIndex(of: "    // begin buffers"))
    let last = try #require(lines.firstIndex(of: "    // end buffers"))
    let body = lines[(first + 1)..<last].map { $0.dropFirst(4) }.joined(separator: "\n")
    #expect(readme.contains("```swift\n\(body)\n```"))
    // 6 times a block scale of 80, times 0.01, is 4.8, in BF16 0x409A.
    let scaled = Tensor([Float](repeating: 4.8, count: 1024), shape: [8, 128])
    #expect(halves(of: scaled) == [UInt16](repeating: 0x409A, count: 1024))
  }

  @Test("It prints the bytes and the errors")
  func output() {
    var printed: [String] = []
    example { printed.append($0) }
    // 1024 codes of 4 bits and 32 scale bytes.
    #expect(printed.first == "544 bytes, 4.25 bits an element")
    #expect(printed[1].hasPrefix("QSNR "))
  }
}
