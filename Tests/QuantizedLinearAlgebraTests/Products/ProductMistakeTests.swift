import BlockFormats
import Testing

@testable import QuantizedLinearAlgebra

@Suite("Products that cannot be")
struct ProductMistakeTests {
  private func zeros(_ shape: [Int]) -> Tensor {
    Tensor([Float](repeating: 0, count: shape.reduce(1, *)), shape: shape)
  }

  @Test("Shapes, axes and blocks that do not fit throw errors that tell the numbers")
  func errors() throws {
    func matrix(_ shape: [Int], _ id: String = "mxfp4") throws -> QuantizedMatrix {
      QuantizedMatrix(zeros(shape), format: try FormatCatalog.format(id: id))
    }
    func expect(
      _ error: ProductError, _ words: [String], _ body: () throws -> Void,
      at place: SourceLocation = #_sourceLocation
    ) {
      #expect(throws: error, sourceLocation: place) { try body() }
      for word in words {
        #expect(error.description.contains(word), "\(error)", sourceLocation: place)
      }
    }
    expect(.depthMismatch(a: [2, 32], b: [3, 64]), ["[2, 32]", "[3, 64]"]) {
      _ = try matmul(matrix([2, 32]), transposed: matrix([3, 64]))
    }
    expect(.batchMismatch(a: [2, 1, 32], b: [3, 1, 32]), ["[2, 1, 32]", "[3, 1, 32]"]) {
      _ = try matmul(matrix([2, 1, 32]), transposed: matrix([3, 1, 32]))
    }
    expect(.notAMatrix(shape: [32]), ["[32]"]) {
      _ = try matmul(zeros([32]), transposed: matrix([3, 32]))
    }
    expect(.notAMatrix(shape: [32]), ["[32]"]) {
      _ = try matmul(zeros([2, 32]), transposed: zeros([32]))
    }
    expect(.notAMatrix(shape: [32]), ["[32]"]) {
      _ = try QuantizedMatrix(checking: zeros([32]).quantized(to: .mxfp4))
    }
    expect(
      .wrongBlockAxis(format: "mxfp4", shape: [64, 2], axis: 0), ["mxfp4", "[64, 2]", "axis 0"]
    ) {
      _ = try QuantizedMatrix(checking: zeros([64, 2]).quantized(to: .mxfp4, axis: 0))
    }
    expect(.unalignedBlocks(a: "mxfp4(block=6)", 6, b: "mxfp4", 32), ["6 elements", "32"]) {
      _ = try matmul(matrix([2, 64], "mxfp4(block=6)"), transposed: matrix([3, 64]))
    }
    expect(.badExtent(name: "depth", value: -1), ["depth -1"]) {
      _ = try ProductDefinition(a: .float32, b: .float32, depth: -1)
    }
  }

  #if os(macOS) || os(Linux)
  @Test("Operands that do not fit what was prepared trap with the numbers")
  func operands() async {
    let depth = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      Mistake.multiply(rows: 2, depth: 33)
    }
    #expect(says(depth, "a left operand of shape [2, 33] where the right one has rows of 32"))
    let format = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      Mistake.multiplyQuantized([2, 32], "nvfp4")
    }
    #expect(says(format, "a left operand of nvfp4 where the right one was prepared for mxfp4"))
    let float = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      Mistake.multiplyQuantized([2, 32], "mxfp4", preparedFor: .float32)
    }
    #expect(says(float, "a left operand of mxfp4 where the right one was prepared for fp32"))
    let batch = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      Mistake.multiplyQuantized([3, 2, 32], "mxfp4")
    }
    #expect(says(batch, "shape [3, 2, 32], 3 matrices, with a batch of 2"))
    let index = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      Mistake.multiply(index: 2)
    }
    #expect(says(index, "matrix 2 of a batch of 2"))
  }

  @Test("Results and epilogues that do not fit trap with the numbers")
  func results() async {
    let shape = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      Mistake.multiply(resultColumns: 4)
    }
    #expect(says(shape, "a result of 2 x 4 for a product of 2 x 3"))
    let bias = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      Mistake.multiply(epilogue: ProductEpilogue(bias: [1, 2]))
    }
    #expect(says(bias, "a bias of 2 numbers for a product of 3 columns"))
    let stride = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var number: Float = 0
      _ = MutableMatrixRows(&number, rowCount: 2, columnCount: 4, stride: 3)
    }
    #expect(says(stride, "a matrix of 2 rows of 4 numbers, 3 apart, is not possible"))
    let beta = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let x = Tensor([1, 2], shape: [1, 2])
      _ = try matmul(x, transposed: x, epilogue: ProductEpilogue(beta: 0.5))
    }
    #expect(says(beta, "beta 0.5 for a new result, which has no old contents"))
    let axis = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = QuantizedMatrix(Tensor([1, 2], shape: [2]), format: .mxfp4)
    }
    #expect(says(axis, "shape [2] has fewer than two axes"))
  }

  private func says(_ result: ExitTest.Result?, _ message: String) -> Bool {
    String(decoding: result?.standardErrorContent ?? [], as: UTF8.self).contains(message)
  }
  #endif
}

/// Products with two prepared matrices of 3 x 32 that go wrong.
private enum Mistake {
  static func prepared(for left: OperandFormat) -> PreparedMatrix? {
    let b = QuantizedMatrix(
      Tensor([Float](repeating: 1, count: 192), shape: [2, 3, 32]), format: .mxfp4)
    return try? PreparedMatrix(b, for: left)
  }

  static func multiply(
    rows: Int = 2, depth: Int = 32, index: Int = 0, resultColumns: Int = 3,
    epilogue: ProductEpilogue = ProductEpilogue()
  ) {
    let a = CallerMemory(
      [Float](repeating: 1, count: rows * depth), rowCount: rows, columnCount: depth)
    let result = CallerMemory(
      [Float](repeating: 1, count: rows * resultColumns), rowCount: rows,
      columnCount: resultColumns)
    prepared(for: .quantized(.mxfp4))?.multiply(
      a.rows, index: index, into: result.target, epilogue: epilogue)
  }

  static func multiplyQuantized(
    _ shape: [Int], _ id: String, preparedFor left: OperandFormat = .quantized(.mxfp4)
  ) {
    guard let format = try? FormatCatalog.format(id: id) else { return }
    let a = QuantizedMatrix(
      Tensor([Float](repeating: 1, count: shape.reduce(1, *)), shape: shape), format: format)
    let result = CallerMemory([Float](repeating: 1, count: 12), rowCount: 4, columnCount: 3)
    prepared(for: left)?.multiply(a, into: result.target)
  }
}
