import BlockFormats

/// How the block scales of a row become FP32 factors of groups.
struct ScaleMap: Sendable {
  /// Bits of a scale, 0 without scales.
  let width: Int
  /// Groups that share a scale.
  let groupsPerBlock: Int
  /// The exponent of the elements' unit, which scales carry.
  let unitExponent: Int
  /// Whether every scale is a power of two or NaN.
  let arePowersOfTwo: Bool
  private let element: ElementFormat?
  /// The factors of all codes of up to eight bits.
  private let table: [Float]

  init(_ layout: BlockLayout, groupLength: Int, blockLength: Int, unitExponent: Int) {
    element = layout.scale
    width = layout.scale?.bitWidth ?? 0
    self.unitExponent = unitExponent
    groupsPerBlock = max(1, (blockLength + groupLength - 1) / groupLength)
    let unit = Double(sign: .plus, exponent: unitExponent, significand: 1)
    if let scale = layout.scale {
      table = scale.bitWidth <= 8 ? scale.valueTable.map { Float($0 * unit) } : []
      if case .floatingPoint(let fields) = scale.encoding {
        arePowersOfTwo = fields.significandBitCount == 0 && !scale.hasZero
      } else {
        arePowersOfTwo = false
      }
    } else {
      table = []
      arePowersOfTwo = true
    }
  }

  /// The factor of groups without scales.
  var unitFactor: Float { Float(sign: .plus, exponent: unitExponent, significand: 1) }

  /// Fills in the factors of `groupCount` groups from codes.
  func fill(
    _ factors: UnsafeMutablePointer<Float>, groupCount: Int, bytes codes: UnsafePointer<UInt8>
  ) {
    table.withUnsafeBufferPointer { table in
      if groupsPerBlock == 1 {
        for group in 0..<groupCount { factors[group] = table[Int(codes[group])] }
      } else {
        for group in 0..<groupCount { factors[group] = table[Int(codes[group / groupsPerBlock])] }
      }
    }
  }

  /// The same from codes of more than eight bits.
  func fill(
    _ factors: UnsafeMutablePointer<Float>, groupCount: Int, wide codes: UnsafePointer<UInt32>
  ) {
    guard let element else { return }
    let unit = Double(sign: .plus, exponent: unitExponent, significand: 1)
    for group in 0..<groupCount {
      let code = codes[group / groupsPerBlock]
      let value =
        element == .fp32 ? Double(Float(bitPattern: code)) : element.value(of: code)
      factors[group] = Float(value * unit)
    }
  }
}
