/// A layout in which every value is a product: the code's value times at most one power of two of its
/// part of the block, one factor of its block and one FP32 factor of its tensor.
package struct FactorLayout: Hashable, Sendable {
  /// The format of the elements' codes.
  package let element: ElementFormat
  /// The powers of two of parts of a block.
  package let shift: Shift?
  /// The factors of blocks.
  package let scale: Factor?
  /// Which field is the factor of the tensor.
  package let tensorField: Int?

  /// A field of factors.
  package struct Factor: Hashable, Sendable {
    /// The place in `BlockLayout.fields`.
    package let field: Int
    package let element: ElementFormat
  }

  /// A field of microexponents: code τ multiplies by 2^-τ.
  package struct Shift: Hashable, Sendable {
    /// The place in `BlockLayout.fields`.
    package let field: Int
    /// The elements that share one.
    package let length: Int
    package let bitWidth: Int
    /// The largest τ.
    package var greatest: Int { (1 << bitWidth) - 1 }
  }

  /// The fields as factors, but for one; `nil` where another is anything else.
  init?(_ fields: [StoredField], besides other: Int? = nil) {
    guard fields[0].extent == .everyElement else { return nil }
    var tensorField: Int?
    var (shift, scale): (Shift?, Factor?) = (nil, nil)
    for (index, field) in fields.enumerated() where index > 0 && index != other {
      guard field.role == .factor else { return nil }
      switch field.extent {
      case .every(let length) where shift == nil:
        guard field.bitWidth <= 8, field.element == .microexponent(bitCount: field.bitWidth) else {
          return nil
        }
        shift = Shift(field: index, length: length, bitWidth: field.bitWidth)
      case .perBlock(1) where scale == nil:
        scale = Factor(field: index, element: field.element)
      case .perTensor where tensorField == nil: tensorField = index
      case .every, .everyElement, .perBlock, .perTensor: return nil
      }
    }
    element = fields[0].element
    self.shift = shift
    self.scale = scale
    self.tensorField = tensorField
  }
}
