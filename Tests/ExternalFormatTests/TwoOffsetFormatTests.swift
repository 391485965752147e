import BlockFormats
import CommandLineToolkit
import Foundation
import QuantizedCheckpoints
import Synchronization
import Testing

@testable import FormatBench

/// What a format from outside gets without a change in the package.
@Suite("A format of the user's own with two offsets a block")
struct TwoOffsetFormatTests {
  private let values: [Float] = (0..<40).map { Float($0 * 7 % 31) / 4 - 3 }

  @Test("It is encoded and decoded along any axis, at any number of threads")
  func encoded() {
    let tensor = Tensor(values, shape: [4, 10])
    for axis in [0, 1] {
      let quantized = tensor.quantized(to: TwoOffsetFormat(), axis: axis)
      #expect(quantized.planes.count == 4)
      #expect(quantized.shape(of: "lower") == (axis == 0 ? [1, 10] : [4, 2]))
      let decoded = quantized.dequantized()
      #expect(decoded == tensor.fakeQuantized(to: TwoOffsetFormat(), axis: axis).tensor)
      // A half step of a seventh of the range, and what BF16 adds to the range.
      for (x, y) in zip(tensor.elements, decoded.elements) { #expect(abs(x - y) < 0.6) }
    }
    // Three bits, an FP32 number and two of 16 bits for eight values.
    #expect(TwoOffsetFormat().layout.nominalBitsPerElement == 11)
  }

  @Test("Its stored bytes and its codes give the tensor back")
  func stored() throws {
    let tensor = Tensor(values, shape: [4, 10]).quantized(to: TwoOffsetFormat())
    let read = try QuantizedTensor(
      format: TwoOffsetFormat(), shape: [4, 10], storedBytes: tensor.storedBytes)
    #expect(read.planes == tensor.planes)
    let codes = Dictionary(
      uniqueKeysWithValues: ["codes", "steps", "lower", "upper"].map {
        ($0, tensor[$0].unpacked())
      })
    #expect(
      try QuantizedTensor(format: TwoOffsetFormat(), shape: [4, 10], codes: codes).planes
        == tensor.planes)
  }

  /// The package's formats and this one.
  private var catalog: FormatCatalog {
    var catalog = FormatCatalog.builtIn
    catalog.families.append(FormatFamily("two_offsets") { _ in TwoOffsetFormat() })
    return catalog
  }

  /// Runs a command line with the catalog.
  private func run(_ words: String...) -> (status: Int32, text: String) {
    let output = LineSink()
    let console = Console(
      tool: Fmtbench.tool.name, output: output, messages: output,
      environment: TerminalEnvironment([:]))
    let status = FormatCatalog.$current.withValue(catalog) { Fmtbench.tool.run(words, console) }
    return (status.rawValue, output.text)
  }

  @Test("It is listed, shown, explained and compared by the command line")
  func commands() {
    #expect(run("list").text.contains("two_offsets"))
    let shown = run("show", "two_offsets")
    #expect(shown.status == 0 && shown.text.contains("lower"))
    let explained = run("explain", "two_offsets", "1", "2", "3.5", "--json")
    #expect(explained.status == 0)
    #expect(
      explained.text.contains("\"lower_code\"") && explained.text.contains("\"steps\"") == false)
    #expect(
      run("explain", "two_offsets", "1", "2").text.contains("gives no account of its arithmetic"))
    #expect(run("explain", "two_offsets", "1", "--scale-rule", "unit").status == 0)
    let compared = run("compare", "--formats", "two_offsets,mxfp4")
    #expect(compared.status == 0 && compared.text.contains("two_offsets"))
    #expect(run("explain", "two_offset", "1").status == 2)
  }

  @Test("It is written to a file and read back")
  func file() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("two-offsets-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("t.safetensors").path
    let tensor = Tensor(values, shape: [4, 10]).quantized(to: TwoOffsetFormat())
    try QuantizedTensorFile.write(tensor, .packedAndUnpacked, to: path)
    let read = try FormatCatalog.$current.withValue(catalog) {
      try QuantizedTensor(contentsOf: path)
    }
    #expect(read.planes == tensor.planes && read.policy == tensor.policy)
    #expect(throws: ModelCheckpointError.self) { try QuantizedTensor(contentsOf: path) }
  }
}

/// Collects text.
private final class LineSink: TextSink {
  let terminalColumns: Int? = nil
  private let bytes = Mutex<[UInt8]>([])

  var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }

  func write(_ bytes: [UInt8]) throws(WriteFailure) { self.bytes.withLock { $0 += bytes } }
}
