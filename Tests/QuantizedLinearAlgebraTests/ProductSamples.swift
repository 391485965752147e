import BlockFormats
import FormatTestSupport

@testable import QuantizedLinearAlgebra

/// A tensor of reproducible numbers of mixed magnitude.
func sample(_ shape: [Int], seed: UInt64, exponents: ClosedRange<Int> = -4...4) -> Tensor {
  var generator = SeededGenerator(seed: seed)
  let values = (0..<shape.reduce(1, *)).map { _ in
    Float(sign: .plus, exponent: .random(in: exponents, using: &generator), significand: 1)
      * Float.random(in: -2...2, using: &generator)
  }
  return Tensor(values, shape: shape)
}

/// A matrix of given codes.
func matrix(
  _ format: some BlockFormat, rows: Int, codes: [UInt32], scales: [UInt32] = [],
  offsets: [UInt32] = [], tensorScale: Float? = nil
) throws -> QuantizedMatrix {
  var fields = ["codes": codes]
  if !scales.isEmpty { fields["scales"] = scales }
  if let field = format.layout.fields.first(where: { $0.role == .offset }) {
    fields[field.name] = offsets
  }
  if let tensorScale { fields["tensor_scale"] = [tensorScale.bitPattern] }
  return QuantizedMatrix(
    try QuantizedTensor(
      format: format, shape: [rows, codes.count / rows], codes: fields))
}

/// A matrix of given values without scales.
func cast(_ format: CastFormat, _ values: [Float]) -> QuantizedMatrix {
  QuantizedMatrix(Tensor(values, shape: [1, values.count]), format: format)
}

/// The bits of results, so that NaN equals itself and zeros keep their signs.
func bits(_ tensor: Tensor) -> [UInt32] { tensor.elements.map(\.bitPattern) }

/// The bits of a product by its definition, one step at a time.
func reference(
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
