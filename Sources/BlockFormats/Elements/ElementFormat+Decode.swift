import CallerChecks
import NumericSupport

extension ElementFormat {
  /// The value that a code stands for, exact.
  ///
  /// - Parameter code: a code below 2^bitWidth.
  /// - Returns: the value; NaN and infinity codes give `.nan` and ±`.infinity`.
  /// - Precondition: `code` fits in `bitWidth` bits.
  public func value(of code: UInt32) -> Double {
    require(
      UInt64(code) < UInt64(1) << UInt64(bitWidth),
      "code \(code) does not fit in the \(bitWidth) bits of \(name)")
    switch encoding {
    case .twosComplement(let layout):
      let shift = UInt32(32 - layout.bitCount)
      let integer = Int32(bitPattern: code << shift) >> Int32(shift)
      return Double.scaled(Double(integer), byPowerOfTwo: -layout.fractionBitCount)
    case .floatingPoint(let layout):
      return floatingPointValue(of: code, layout)
    case .table(let table):
      return table.values.indices.contains(Int(code)) ? table.values[Int(code)] : .nan
    }
  }

  private func floatingPointValue(of code: UInt32, _ layout: FloatingPointLayout) -> Double {
    let magnitude = code & magnitudeMask
    let isNegative = code & signMask != 0
    if isNegative && magnitude == 0 && hasZero && !hasNegativeZero { return .nan }
    if magnitude > greatestFiniteCode {
      guard magnitude == infinityCode else { return .nan }
      return isNegative ? -.infinity : .infinity
    }
    let fractionBits = layout.significandBitCount
    let exponentField = Int(magnitude >> UInt32(fractionBits))
    let fraction = Int(magnitude & ((UInt32(1) << UInt32(fractionBits)) - 1))
    let isSubnormal = exponentField == 0 && layout.lowestBinade == .subnormal
    let significand = isSubnormal ? fraction : fraction + (1 << fractionBits)
    let exponent = (isSubnormal ? 1 : exponentField) - layout.exponentBias - fractionBits
    let value = Double.scaled(Double(significand), byPowerOfTwo: exponent)
    return isNegative ? -value : value
  }
}

extension Float {
  /// The value, with every NaN replaced by the canonical one.
  ///
  /// Processors disagree on the sign and payload of the NaN that an operation gives.
  var canonicalNaN: Float { isNaN ? .nan : self }
}

/// Decodes many codes of one format: a table for narrow codes, the definition for wide ones.
struct ElementDecoder {
  private let format: ElementFormat
  private let table: [Double]

  init(_ format: ElementFormat) {
    self.format = format
    table = format.bitWidth <= 8 ? format.valueTable : []
  }

  @inline(__always)
  func callAsFunction(_ code: UInt32) -> Double {
    guard !table.isEmpty else { return format.value(of: code) }
    require(Int(code) < table.count, "code \(code) of \(format) is outside 0..<\(table.count)")
    return table[Int(code)]
  }
}
