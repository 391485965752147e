import BlockFormats
import Testing

@testable import QuantizedLinearAlgebra

@Suite("Kernels of products against the definition")
struct ProductIdentityTests {
  @Test("Every level and thread count computes the definition's bits", arguments: FormatPair.all)
  func matchesDefinition(pair: FormatPair) throws {
    for extents in ProductExtents.all {
      for values in ProductValues.allCases {
        let a = QuantizedMatrix(values.tensor([extents.m, extents.k], seed: 1), format: pair.a)
        let b = QuantizedMatrix(values.tensor([extents.n, extents.k], seed: 2), format: pair.b)
        guard
          let definition = try? ProductDefinition(
            a: .quantized(pair.a), b: .quantized(pair.b), depth: extents.k)
        else {
          Issue.record("\(pair.testDescription) does not align")
          continue
        }
        let expected = reference(a, b, definition)
        for level in KernelLevel.supported {
          for threads in [1, 2, 4] {
            let result = try matmul(
              a, transposed: b, level: level, parallelism: .threads(threads))
            let bits = result.elements.map(\.bitPattern)
            let difference = zip(bits, expected).enumerated().first { $1.0 != $1.1 }
            #expect(
              bits.count == expected.count && difference == nil,
              """
              \(extents.testDescription) \(values) \(level.id) threads \(threads): \
              \(String(describing: difference))
              """)
          }
        }
      }
    }
  }

  private func reference(
    _ a: QuantizedMatrix, _ b: QuantizedMatrix, _ definition: ProductDefinition
  ) -> [UInt32] {
    let x = ReferenceOperand(a, .a, definition: definition)
    let y = ReferenceOperand(b, .b, definition: definition)
    let product = ReferenceProduct(definition: definition)
    let scale = product.tensorScale(x, y)
    return product.sums(x, y).map {
      ProductEpilogue().value($0, tensorScale: scale, column: 0, old: 0).bitPattern
    }
  }
}
