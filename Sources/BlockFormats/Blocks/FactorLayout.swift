/// A layout in which every value is a product: the code's value times a power of two of its part of the
/// block, one factor of its block and one FP32 factor of its tensor.
package struct FactorLayout: Hashable, Sendable {
  /// The format of the elements' codes.
  package let element: ElementFormat
  /// The powers of two of parts of a block: one field of microexponents, or fields of doublings, those of
  /// the longest parts first.
  package let powers: [Power]
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

  /// A field of powers of two: code τ multiplies by 2^-τ, or by 2^τ.
  package struct Power: Hashable, Sendable {
    /// The place in `BlockLayout.fields`.
    package let field: Int
    /// The elements that share one.
    package let length: Int
    package let bitWidth: Int
    package let direction: Direction
    /// The largest τ.
    package var greatest: Int { (1 << bitWidth) - 1 }
  }

  /// Where codes of powers move values.
  package enum Direction: Int, Hashable, Sendable {
    /// Microexponents: down.
    case down = -1
    /// Doublings: up.
    case up = 1
  }

  /// The field of microexponents.
  package var shift: Power? { powers.first { $0.direction == .down } }
  /// The fields of doublings.
  package var doublings: [Power] { powers.filter { $0.direction == .up } }

  /// The elements that share their powers: those of the shortest parts; 0 without powers.
  package var powerLength: Int { powers.last?.length ?? 0 }
  /// The largest sum of codes of powers that meet in an element.
  package var greatestPower: Int { powers.reduce(0) { $0 + $1.greatest } }
  /// The range of the exponents of an element's power of two.
  package var exponents: ClosedRange<Int> {
    switch powers.first?.direction {
    case .down: -greatestPower...0
    case .up: 0...greatestPower
    case nil: 0...0
    }
  }

  /// The fields as factors, but for one; `nil` where another is anything else.
  init?(_ fields: [StoredField], besides other: Int? = nil) {
    guard fields[0].extent == .everyElement else { return nil }
    var tensorField: Int?
    var (powers, scale): ([Power], Factor?) = ([], nil)
    for (index, field) in fields.enumerated() where index > 0 && index != other {
      guard field.role == .factor else { return nil }
      switch field.extent {
      case .every(let length):
        guard let power = Power(field, index, length: length) else { return nil }
        // Parts lie in those of the field before, and nothing moves values both ways.
        if let last = powers.last {
          guard last.direction == .up, power.direction == .up, last.length > length,
            last.length % length == 0
          else { return nil }
        }
        powers.append(power)
      case .perBlock(1) where scale == nil:
        scale = Factor(field: index, element: field.element)
      case .perTensor where tensorField == nil: tensorField = index
      case .everyElement, .perBlock, .perTensor: return nil
      }
    }
    element = fields[0].element
    self.powers = powers
    self.scale = scale
    self.tensorField = tensorField
  }
}

extension FactorLayout.Power {
  /// A field as powers of two; `nil` where its codes are none.
  fileprivate init?(_ field: StoredField, _ index: Int, length: Int) {
    let direction: FactorLayout.Direction
    if field.bitWidth <= 8, field.element == .microexponent(bitCount: field.bitWidth) {
      direction = .down
    } else if field.element == .doubling {
      direction = .up
    } else {
      return nil
    }
    self.init(field: index, length: length, bitWidth: field.bitWidth, direction: direction)
  }
}
