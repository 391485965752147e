import BlockFormats
import Foundation
import QuantizedLinearAlgebra
import Testing

@Suite("The README's example of a product")
struct ReadmeProductTests {
  /// The example itself; the lines between the markers are those of the README.
  private func example(_ x: Tensor) throws -> [Float] {
    // begin
    let w = Tensor((0..<64 * 128).map { Float($0 % 89) - 44.1 }, shape: [64, 128])
    let weights = QuantizedMatrix(w, format: .mxfp4)
    let layer = try PreparedMatrix(weights, for: .quantized(.mxfp8E4M3))
    var product = try layer.product(x)
    layer.multiply(x, into: &product)
    // end
    return product.elements
  }

  @Test("The README shows the code that this test compiles, and it is matmul's product")
  func readmeShowsThisCode() throws {
    let file = URL(fileURLWithPath: #filePath)
    let root = file.deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let lines = try String(contentsOf: file, encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false)
    let readme = try String(
      contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
    let first = try #require(lines.firstIndex(of: "    // begin"))
    let last = try #require(lines.firstIndex(of: "    // end"))
    let body = lines[(first + 1)..<last].map { $0.dropFirst(4) }.joined(separator: "\n")
    #expect(readme.contains("```swift\nimport QuantizedLinearAlgebra\n\n\(body)\n```"))

    let x = Tensor((0..<1024).map { Float($0 % 97) - 48.3 }, shape: [8, 128])
    let w = Tensor((0..<64 * 128).map { Float($0 % 89) - 44.1 }, shape: [64, 128])
    let product = try matmul(
      QuantizedMatrix(x, format: .mxfp8E4M3), transposed: QuantizedMatrix(w, format: .mxfp4))
    #expect(try example(x) == product.elements)
  }
}
