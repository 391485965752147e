import BlockFormats
import Testing

@testable import QuantizedLinearAlgebra

@Suite("The reference product on hand-computed cases")
struct ReferenceProductTests {
  static func product(_ a: QuantizedMatrix, _ b: QuantizedMatrix) throws -> Float {
    try referenceMatmul(a, transposed: b).elements[0]
  }

  /// 32 codes of which the first are given.
  static func block(_ codes: [UInt32]) -> [UInt32] {
    codes + Array(repeating: 0, count: 32 - codes.count)
  }

  @Test("Integer groups add one by one into FP32, scales after the dot product")
  func int8Groups() throws {
    // E2M1 codes: 2 is 1, 7 is 6, 15 is -6. Scale codes: 127 is 1.
    let one = Self.block([2])
    let a = try matrix(.mxfp4, rows: 1, codes: one + one + one, scales: [127 + 24, 127, 127])
    let b = try matrix(.mxfp4, rows: 1, codes: one + one + one, scales: [127, 127, 127])
    // 2^24 + 1 is a tie that goes to the even 2^24, twice; the exact sum is 2^24 + 2.
    #expect(try Self.product(a, b) == 0x1p24)
    #expect(
      try referenceMatmul(a, transposed: b, accumulator: .exact).elements[0] == 0x1p24 + 2)
    // Small groups first: their sum survives.
    let c = try matrix(.mxfp4, rows: 1, codes: one + one + one, scales: [127, 127, 127 + 24])
    #expect(try Self.product(c, b) == 0x1p24 + 2)
    // (6 · 6 - 6 · 6 + 1 · 6) · 2^-3 · 2^5.
    let d = try matrix(.mxfp4, rows: 1, codes: Self.block([7, 15, 2]), scales: [127 - 3])
    let e = try matrix(.mxfp4, rows: 1, codes: Self.block([7, 7, 7]), scales: [127 + 5])
    #expect(try Self.product(d, e) == 24)
  }

  @Test("Inside an integer group sums are exact where FP32 steps would round")
  func int16Groups() throws {
    // int16 elements in one group with FP32 scale 1: 32767² + 1 - 32767² = 1.
    let format = try FormatCatalog.format(id: "int(bits=9,block=32)")
    #expect(
      try ProductDefinition(a: .quantized(format), b: .quantized(format), depth: 32).unit == .int16)
    let one = Float(1).bitPattern
    let a = try matrix(format, rows: 1, codes: Self.block([255, 1, 512 - 255]), scales: [one])
    let b = try matrix(format, rows: 1, codes: Self.block([255, 1, 255]), scales: [one])
    #expect(try Self.product(a, b) == 1)
    // fl(0.1 · 0.1) once for a group, then fused: fma(3, fl(0.01), 0) rounds once more.
    let tenth = Float(0.1).bitPattern
    let c = try matrix(format, rows: 1, codes: Self.block([3]), scales: [tenth])
    let d = try matrix(format, rows: 1, codes: Self.block([1]), scales: [tenth])
    #expect(try Self.product(c, d) == 3 * (Float(0.1) * Float(0.1)))
    // Longer than 31 bits allow: int16 by int16 is cut or left to FP32.
    let wide = try FormatCatalog.format(id: "int(bits=16,block=32)")
    #expect(
      try ProductDefinition(a: .quantized(wide), b: .quantized(wide), depth: 32).unit == .float32)
  }

  @Test("The BF16 unit adds the odd element of a pair before the even one")
  func oddBeforeEven() throws {
    // In order 1: 0, 2^16 | -2^16, 2^-9 gives 2^-9; in order of the axis 2^-9 would be lost.
    let left = Tensor([256, 0, 0x1p-9, -256], shape: [1, 4])
    let right = Tensor([256, 0, 1, 256], shape: [1, 4])
    let format = CastFormat.cast(to: .e4m3fn)
    let (a, b) = (QuantizedMatrix(left, format: format), QuantizedMatrix(right, format: format))
    #expect(
      try ProductDefinition(a: .quantized(format), b: .quantized(format), depth: 4).unit
        == .bfloat16)
    #expect(try Self.product(a, b) == 0x1p-9)
    // The same terms the other way round within their pairs: 2^-9 meets 2^16 and is lost.
    let c = QuantizedMatrix(Tensor([0, 256, -256, 0x1p-9], shape: [1, 4]), format: format)
    let d = QuantizedMatrix(Tensor([0, 256, 256, 1], shape: [1, 4]), format: format)
    #expect(try Self.product(c, d) == 0)
    // An element without a partner comes last.
    let e = QuantizedMatrix(Tensor([256, -256, 0x1p-9], shape: [1, 3]), format: format)
    let f = QuantizedMatrix(Tensor([256, 256, 1], shape: [1, 3]), format: format)
    #expect(try Self.product(e, f) == 0x1p-9)
  }

  @Test("The BF16 unit takes subnormal elements and sums for zero; the exact sum keeps them")
  func flushing() throws {
    let a = cast(.bf16, [0x1p-130, 0x1p-70])
    let b = cast(.bf16, [0x1p10, 0x1p-70])
    #expect(try Self.product(a, b) == 0)
    let exact = try referenceMatmul(a, transposed: b, accumulator: .exact).elements[0]
    #expect(exact == 0x1p-120 + 0x1p-140)
    let c = cast(.bf16, [0x1p-63])
    #expect(try Self.product(c, c) == 0x1p-126)
    // 2^-126 - 2^-150 has 24 bits, below the normal numbers; with half of that away it is a tie.
    let d = cast(.bf16, [-0x1p-75, 0x1p-63])
    #expect(try Self.product(d, cast(.bf16, [0x1p-75, 0x1p-63])) == 0)
    #expect(try Self.product(d, cast(.bf16, [0x1p-76, 0x1p-63])) == 0x1p-126)
  }

  @Test("The FP32 unit is one chain of fused multiply-adds in order")
  func float32Chain() throws {
    let a = cast(.fp32, [0x1p24, 1, 1])
    let ones = cast(.fp32, [1, 1, 1])
    #expect(try Self.product(a, ones) == 0x1p24)
    #expect(try Self.product(cast(.fp32, [1, 1, 0x1p24]), ones) == 0x1p24 + 2)
    // Fused: the product of 1 + 2^-12 with itself keeps its last bit when 1 + 2^-11 is taken away.
    let x: Float = 1 + 0x1p-12
    #expect(
      try Self.product(cast(.fp32, [-1 - 0x1p-11, x]), cast(.fp32, [1, x])) == 0x1p-24)
  }

  @Test("Tensors of FP32 and quantized matrices mix by decoded values")
  func mixedOperands() throws {
    let x = sample([3, 40], seed: 3)
    let w = QuantizedMatrix(sample([5, 40], seed: 4), format: .nvfp4)
    let decoded = w.storage.dequantized()
    for accumulator in Accumulator.standard {
      let mixed = try referenceMatmul(x, transposed: w, accumulator: accumulator)
      let plain = try referenceMatmul(x, transposed: decoded, accumulator: accumulator)
      #expect(bits(mixed) == bits(plain))
    }
  }

  @Test("The epilogue follows the sums: tensor scales, alpha, bias, beta")
  func epilogue() throws {
    let a = QuantizedMatrix(sample([3, 32], seed: 5), format: .nvfp4)
    let b = QuantizedMatrix(sample([2, 32], seed: 6), format: .nvfp4)
    let plain = try referenceMatmul(a, transposed: b)
    let old = sample([3, 2], seed: 7)
    let result = try referenceMatmul(
      a, transposed: b, epilogue: ProductEpilogue(alpha: 3, beta: 0.3, bias: [1, -1]), adding: old)
    for index in 0..<6 {
      let y = 3 * plain.elements[index] + [1, -1][index % 2]
      #expect(result.elements[index] == y.addingProduct(0.3, old.elements[index]))
    }
  }

  @Test(
    "Kernels give the reference's bits, with an epilogue and batches",
    arguments: [
      ("mxfp4", "mx9"), ("mxfp8_e4m3", "nvfp4"), ("fp16", "mxfp4"),
    ])
  func kernels(_ pair: (String, String)) throws {
    let (left, right) = (
      try FormatCatalog.format(id: pair.0), try FormatCatalog.format(id: pair.1)
    )
    let a = QuantizedMatrix(sample([2, 5, 96], seed: 21), format: left)
    let b = QuantizedMatrix(sample([2, 3, 96], seed: 22), format: right)
    let epilogue = ProductEpilogue(alpha: 0.3, bias: [1, -2, 3])
    let expected = try referenceMatmul(a, transposed: b, epilogue: epilogue)
    #expect(bits(try matmul(a, transposed: b, epilogue: epilogue)) == bits(expected))
    let x = sample([2, 5, 96], seed: 23)
    #expect(
      bits(try matmul(x, transposed: b, epilogue: epilogue))
        == bits(try referenceMatmul(x, transposed: b, epilogue: epilogue)))
  }

  @Test("Batches of equal extents multiply one by one, and single matrices meet all of them")
  func batches() throws {
    let x = sample([2, 3, 4, 32], seed: 8)
    let w = sample([2, 3, 5, 32], seed: 9)
    func part(_ tensor: Tensor, _ index: Int) -> Tensor {
      let size = tensor.shape.suffix(2).reduce(1, *)
      return Tensor(
        Array(tensor.elements[index * size..<(index + 1) * size]),
        shape: Array(tensor.shape.suffix(2)))
    }
    func quantized(_ tensor: Tensor) -> QuantizedMatrix {
      QuantizedMatrix(tensor, format: .mxfp8E4M3)
    }
    let all = try referenceMatmul(quantized(x), transposed: quantized(w))
    let onOne = try referenceMatmul(quantized(x), transposed: quantized(part(w, 0)))
    let ofOne = try referenceMatmul(quantized(part(x, 0)), transposed: quantized(w))
    #expect(all.shape == [2, 3, 4, 5] && onOne.shape == all.shape && ofOne.shape == all.shape)
    for index in 0..<6 {
      let (left, right) = (quantized(part(x, index)), quantized(part(w, index)))
      let single = try referenceMatmul(left, transposed: right)
      #expect(bits(part(all, index)) == bits(single))
      let first = try referenceMatmul(left, transposed: quantized(part(w, 0)))
      #expect(bits(part(onOne, index)) == bits(first))
      let last = try referenceMatmul(quantized(part(x, 0)), transposed: right)
      #expect(bits(part(ofOne, index)) == bits(last))
    }
    let one = Tensor(part(x, 0).elements, shape: [1, 1, 4, 32])
    #expect(try referenceMatmul(one, transposed: part(w, 0)).shape == [1, 1, 4, 5])
  }

  @Test("Shapes that do not fit throw with the shapes")
  func shapes() throws {
    func zeros(_ shape: [Int]) -> Tensor {
      Tensor(Array(repeating: 0, count: shape.reduce(1, *)), shape: shape)
    }
    #expect(throws: ProductError.depthMismatch(a: [2, 3], b: [2, 4])) {
      try referenceMatmul(zeros([2, 3]), transposed: zeros([2, 4]))
    }
    #expect(throws: ProductError.batchMismatch(a: [2, 1, 3], b: [3, 1, 3])) {
      try referenceMatmul(zeros([2, 1, 3]), transposed: zeros([3, 1, 3]))
    }
    #expect(throws: ProductError.batchMismatch(a: [2, 3, 1, 3], b: [6, 1, 3])) {
      try referenceMatmul(zeros([2, 3, 1, 3]), transposed: zeros([6, 1, 3]))
    }
    #expect(throws: ProductError.notAMatrix(shape: [3])) {
      try referenceMatmul(zeros([3]), transposed: zeros([1, 3]))
    }
    for accumulator in Accumulator.standard {
      let empty = try referenceMatmul(
        zeros([2, 0]), transposed: zeros([3, 0]), accumulator: accumulator)
      #expect(bits(empty) == Array(repeating: 0, count: 6))
      let none = try referenceMatmul(
        zeros([0, 4]), transposed: zeros([3, 4]), accumulator: accumulator)
      #expect(none.shape == [0, 3])
    }
  }

  @Test("One, two and three threads give the same bits with every accumulator")
  func threads() throws {
    let a = QuantizedMatrix(sample([17, 4096], seed: 12), format: .mxfp8E4M3)
    let b = QuantizedMatrix(sample([19, 4096], seed: 13), format: .mxfp4)
    for accumulator in Accumulator.standard {
      let one = try referenceMatmul(
        a, transposed: b, accumulator: accumulator, parallelism: .threads(1))
      for threads in 2...3 {
        let more = try referenceMatmul(
          a, transposed: b, accumulator: accumulator, parallelism: .threads(threads))
        #expect(bits(one) == bits(more))
      }
    }
  }
}
