import BlockFormats
import Testing

@testable import QuantizedLinearAlgebra

@Suite("Products in the caller's memory")
struct SpanProductTests {
  @Test(
    "Spans of floats are rows side by side",
    arguments: ["mxfp4", "nvfp4", "mxfp8_e4m3", "mx9", "fp16"])
  func floats(id: String) throws {
    let format = FormatPair.format(id)
    let workspace = ProductWorkspace()
    for (rows, depth) in [(1, 96), (7, 100), (0, 32), (3, 0)] {
      let x = sample([rows, depth], seed: 1)
      let w = QuantizedMatrix(sample([2, 35, depth], seed: 2), format: format)
      let layer = try PreparedMatrix(w, for: .quantized(format))
      let expected = try matmul(QuantizedMatrix(x, format: format), transposed: w)
      for index in 0..<2 {
        var result = [Float](repeating: .nan, count: rows * 35)
        var span = result.mutableSpan
        layer.multiply(x.elements.span, index: index, into: &span, workspace: workspace)
        let part = expected.elements[index * rows * 35..<(index + 1) * rows * 35]
        #expect(result.bits == Array(part).bits, "\(rows) x \(depth), matrix \(index)")
      }
    }
  }

  @Test(
    "Raw spans hold numbers of any type at any byte, and gaps between rows stay as they were",
    arguments: ScalarType.allCases, ScalarType.allCases)
  func bytes(input: ScalarType, output: ScalarType) throws {
    let format = SharedExponentFormat.mxfp8E4M3
    let w = QuantizedMatrix(sample([35, 96], seed: 2), format: format)
    let layer = try PreparedMatrix(w, for: .quantized(format))
    for (rows, gap, offset) in [(1, 0, 1), (9, 3, 0), (17, 32, 5)] {
      let x = CallerMemory(
        sample([rows, 96], seed: 1).elements, as: input, rowCount: rows, columnCount: 96, gap: gap,
        offset: offset)
      let a = QuantizedMatrix(x, format)
      let expected = CallerMemory.rounded(try matmul(a, transposed: w).elements, to: output).bits
      let result = CallerMemory(
        [Float](repeating: .nan, count: rows * 35), as: output, rowCount: rows, columnCount: 35,
        gap: gap, offset: offset)
      do {
        let source = UnsafeRawBufferPointer(x.bytes)
        var target = result.bytes.mutableBytes
        layer.multiply(source.bytes, as: x.layout, into: &target, as: result.layout)
      }
      #expect(result.values.bits == expected && result.hasIntactGaps, "\(rows) rows")
      let again = CallerMemory(
        [Float](repeating: .nan, count: rows * 35), as: output, rowCount: rows, columnCount: 35,
        gap: gap)
      do {
        var target = again.bytes.mutableBytes
        layer.multiply(a, into: &target, as: again.layout)
      }
      #expect(again.values.bits == expected && again.hasIntactGaps, "\(rows) quantized rows")
    }
  }

  @Test("A layout tells its bytes, up to the last number")
  func layouts() {
    #expect(MatrixLayout(rowCount: 3, columnCount: 5).byteCount == 60)
    #expect(MatrixLayout(.bfloat16, rowCount: 3, columnCount: 5, stride: 8).byteCount == 42)
    #expect(MatrixLayout(rowCount: 0, columnCount: 5).byteCount == 0)
    #expect(MatrixLayout(rowCount: 5, columnCount: 0, stride: 7).byteCount == 0)
    #expect(MatrixLayout(rowCount: 1, columnCount: 2, stride: 1 << 60).byteCount == 8)
  }

  #if os(macOS) || os(Linux)
  @Test("Spans that do not fit trap with the numbers")
  func mistakes() async {
    let counts = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      Mistake.multiply(left: 7, result: 4)
    }
    #expect(
      says(counts, "a left operand of 7 numbers and a result of 4 for a matrix of 2 x 3"))
    let rows = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      Mistake.multiply(left: 6, result: 6)
    }
    #expect(says(rows, "a left operand of 6 numbers and a result of 6 for a matrix of 2 x 3"))
    let bytes = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      Mistake.multiply(bytes: 39, as: MatrixLayout(rowCount: 2, columnCount: 3, stride: 7))
    }
    #expect(
      says(bytes, "39 bytes for 2 rows of 3 fp32 numbers, 7 apart, which take 40"))
    let target = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      Mistake.multiply(bytes: 24, as: MatrixLayout(rowCount: 2, columnCount: 3), result: 15)
    }
    #expect(
      says(target, "15 bytes for 2 rows of 2 fp32 numbers, 2 apart, which take 16"))
    let layout = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = MatrixLayout(rowCount: 3, columnCount: 1, stride: 1 << 60)
    }
    #expect(
      says(layout, "a matrix of 3 rows of 1 numbers, \(1 << 60) apart, is not possible"))
    let shape = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      guard let layer = try? PreparedMatrix(Mistake.weight) else { return }
      var result = Tensor([0, 0], shape: [2, 1])
      layer.multiply(Tensor([1, 2, 3], shape: [1, 3]), into: &result)
    }
    #expect(says(shape, "a result of shape [2, 1] for a product of [1, 2]"))
    let update = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let builder = try? PreparedMatrix.Builder(
        rowCount: 2, depth: 3, as: .float32, for: .float32)
      builder?.update([1, 2, 3, 4].span)
    }
    #expect(says(update, "4 numbers for a matrix of shape [2, 3]"))
  }

  private func says(_ result: ExitTest.Result?, _ message: String) -> Bool {
    String(decoding: result?.standardErrorContent ?? [], as: UTF8.self).contains(message)
  }
  #endif
}

/// Products with a matrix of 2 x 3 that go wrong.
private enum Mistake {
  static var weight: Tensor { Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3]) }

  static func multiply(left: Int, result: Int) {
    guard let layer = try? PreparedMatrix(weight) else { return }
    let x = [Float](repeating: 1, count: left)
    var y = [Float](repeating: 1, count: result)
    var span = y.mutableSpan
    layer.multiply(x.span, into: &span)
  }

  static func multiply(bytes: Int, as layout: MatrixLayout, result: Int = 16) {
    guard let layer = try? PreparedMatrix(weight) else { return }
    let x = [UInt8](repeating: 0, count: bytes)
    var y = [UInt8](repeating: 0, count: result)
    var span = y.mutableSpan
    var target = span.mutableBytes
    layer.multiply(
      x.span.bytes, as: layout, into: &target,
      as: MatrixLayout(rowCount: layout.rowCount, columnCount: 2))
  }
}
