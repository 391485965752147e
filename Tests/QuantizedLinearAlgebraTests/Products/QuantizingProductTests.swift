import BlockFormats
import FormatTestSupport
import Testing

@testable import QuantizedLinearAlgebra

@Suite("Products that quantize rows on the way")
struct QuantizingProductTests {
  static let formats = [
    "nvfp4", "nvfp4_2d", "nvfp4_4over6", "fp8_e4m3_tensor", "fp8_e4m3_row", "fp8_e4m3_1x128",
    "fp8_e4m3_128x128", "mxfp4", "mxfp6_e2m3", "mxfp8_e4m3", "mxint8", "mx9", "mx6", "mx4",
    "msfp12", "int8_row", "int8_tensor", "vsq", "bf16", "fp16", "fp32",
    "affine4", "affine8", "q4_1", "q4_0",
  ]

  /// Rows and columns: one band, or several with a short one at the end.
  private static let shapes = [(1, 96), (5, 100), (9, 33), (131, 1024)]

  private func check(_ id: String, _ policy: EncodingPolicy?, seed: Int) throws {
    let format = try FormatCatalog.format(id: id)
    let workspace = ProductWorkspace()
    for (index, (rows, depth)) in Self.shapes.enumerated() {
      let turn = index + seed
      let type = ScalarType.allCases[turn % 3]
      let b = QuantizedMatrix(sample([3, depth], seed: 7), format: format)
      let prepared = try PreparedMatrix(
        b, for: .quantized(format),
        level: KernelLevel.supported[turn % KernelLevel.supported.count], parallelism: .threads(1))
      let a = CallerMemory(
        sample([rows, depth], seed: UInt64(turn)).elements, as: type, rowCount: rows,
        columnCount: depth, gap: turn % 4 * 3, offset: turn % 5)
      let expected = try matmul(QuantizedMatrix(a, format, policy), transposed: b)
      for threads in [1, 3] {
        let result = CallerMemory(
          [Float](repeating: .nan, count: rows * 3), rowCount: rows, columnCount: 3)
        prepared.multiply(
          a.rows, policy: policy, into: result.target, parallelism: .threads(threads),
          workspace: workspace)
        #expect(
          result.values.bits == bits(expected),
          "\(rows) x \(depth) \(type.id) \(threads) threads, stride \(a.stride)")
      }
    }
  }

  @Test(
    "Rows of every type, stride and address give the bits of quantized ones", arguments: formats)
  func rows(id: String) throws {
    try check(id, nil, seed: Self.formats.firstIndex(of: id) ?? 0)
  }

  @Test(
    "Random roundings belong to places of the whole matrix",
    arguments: ["mxfp4", "nvfp4", "fp8_e4m3_128x128", "mx9", "bf16"])
  func stochastic(id: String) throws {
    var policy = try FormatCatalog.format(id: id).defaultPolicy
    policy.rounding = .stochastic(StochasticSource(seed: 5))
    for seed in 0..<2 { try check(id, policy, seed: seed) }
  }

  @Test("A workspace serves other shapes, formats, policies and levels with the bits of a new one")
  func workspaces() throws {
    let shared = ProductWorkspace()
    let ids = ["mxfp4", "nvfp4", "affine4", "fp8_e4m3_tensor", "bf16", "fp32", "affine8"]
    for round in 0..<28 {
      let format = try FormatCatalog.format(id: ids[(round / 2) % ids.count])
      let (rows, depth) = [(3, 64), (40, 64), (3, 64), (12, 160), (3, 0)][round % 5]
      let level = KernelLevel.supported[round / 3 % KernelLevel.supported.count]
      let b = QuantizedMatrix(sample([35, depth], seed: 1), format: format)
      let prepared = try PreparedMatrix(
        b, for: .quantized(format), level: level, parallelism: .threads(1))
      let a = CallerMemory(
        sample([rows, depth], seed: UInt64(round)).elements, rowCount: rows, columnCount: depth,
        gap: round % 2)
      var policy = format.defaultPolicy
      if round % 3 == 0 { policy.rounding = .towardZero }
      let own = policy
      func product(_ workspace: ProductWorkspace, quantized: Bool) -> [UInt32] {
        let result = CallerMemory(
          [Float](repeating: 0, count: rows * 35), as: round % 4 == 0 ? .float16 : .float32,
          rowCount: rows, columnCount: 35)
        let parallelism = Parallelism.threads(1 + round % 3)
        if quantized {
          prepared.multiply(
            QuantizedMatrix(a, format, own), into: result.target, parallelism: parallelism,
            workspace: workspace)
        } else {
          prepared.multiply(
            a.rows, policy: own, into: result.target, parallelism: parallelism,
            workspace: workspace)
        }
        return result.values.bits
      }
      let fresh = product(ProductWorkspace(), quantized: true)
      #expect(product(shared, quantized: false) == fresh, "\(format.id) round \(round)")
      #expect(product(shared, quantized: true) == fresh, "\(format.id) round \(round)")
    }
  }

  @Test("A workspace tells formats of one name apart")
  func sharedName() throws {
    let shared = ProductWorkspace()
    for element in [ElementFormat.e2m1fn, .e2m3fn, .e4m3fn] {
      let format = SharedExponentFormat(
        id: "mine", source: "a test", element: element, block: .vector(length: 32))
      let b = QuantizedMatrix(sample([3, 64], seed: 1), format: format)
      let prepared = try PreparedMatrix(b, for: .quantized(format))
      let a = CallerMemory(sample([4, 64], seed: 2).elements, rowCount: 4, columnCount: 64)
      let result = CallerMemory(
        [Float](repeating: 0, count: 12), rowCount: 4, columnCount: 3)
      prepared.multiply(a.rows, into: result.target, workspace: shared)
      let expected = try matmul(QuantizedMatrix(a, format), transposed: b)
      #expect(result.values.bits == bits(expected), "\(element.name)")
    }
  }
}
