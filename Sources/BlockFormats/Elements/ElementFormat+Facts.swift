import NumericSupport

extension ElementFormat {
  /// The exponent of the largest power of two that divides every finite value.
  package var leastSpacingExponent: Int {
    switch encoding {
    case .twosComplement(let layout): -layout.fractionBitCount
    case .floatingPoint(let layout):
      (layout.lowestBinade == .subnormal ? 1 : 0) - layout.exponentBias
        - layout.significandBitCount
    case .table(let table): table.leastSpacingExponent
    }
  }

  /// The distance between neighbouring values where it is the same everywhere; `nil` elsewhere.
  package var spacing: Double? {
    switch encoding {
    case .twosComplement(let layout): Double.scaled(1, byPowerOfTwo: -layout.fractionBitCount)
    case .floatingPoint(let layout):
      layout.exponentBitCount == 0
        ? Double.scaled(1, byPowerOfTwo: leastSpacingExponent) : nil
    case .table: nil
    }
  }

  /// The largest magnitude of a finite code, one that encoders never produce included.
  package var greatestDecodableMagnitude: Double {
    switch encoding {
    case .twosComplement(let layout):
      Double.scaled(1, byPowerOfTwo: layout.bitCount - 1 - layout.fractionBitCount)
    case .floatingPoint: greatestFiniteMagnitude
    case .table(let table): table.magnitudes[table.magnitudes.count - 1]
    }
  }

  /// The bits that hold every value's significand.
  package var significandBitCount: Int {
    switch encoding {
    // The most negative integer is a power of two.
    case .twosComplement(let layout): layout.bitCount - 1
    case .floatingPoint(let layout):
      layout.significandBitCount + (layout.exponentBitCount > 0 ? 1 : 0)
    case .table(let table): (table.magnitudes.map(\.significandWidth).max() ?? 0) + 1
    }
  }

  /// The parts of a code from the most significant bit, in words: `1 sign, 4 exponent, 3 fraction`.
  package var partsText: String {
    switch encoding {
    case .twosComplement(let layout):
      return "two's complement"
        + (layout.fractionBitCount == 0 ? "" : ", \(layout.fractionBitCount) fraction bits")
    case .floatingPoint(let layout):
      return [
        isSigned ? "1 sign" : nil,
        layout.exponentBitCount > 0 ? "\(layout.exponentBitCount) exponent" : nil,
        layout.significandBitCount > 0
          ? "\(layout.significandBitCount) \(layout.exponentBitCount > 0 ? "fraction" : "magnitude")"
          : nil,
      ].compactMap { $0 }.joined(separator: ", ")
    case .table(let table): return "a table of \(table.values.count) values"
    }
  }

  /// A letter for each bit of a code, the most significant first: sign S, exponent E, fraction M,
  /// integer Q, index of a table T.
  package var bitLetters: [Character] {
    switch encoding {
    case .twosComplement(let layout): Array(repeating: "Q", count: layout.bitCount)
    case .floatingPoint(let layout):
      (isSigned ? ["S"] : [])
        + Array(repeating: "E", count: layout.exponentBitCount)
        + Array(repeating: "M", count: layout.significandBitCount)
    case .table: Array(repeating: "T", count: bitWidth)
    }
  }

  /// The exponent bias; `nil` without exponent field.
  package var exponentBias: Int? {
    guard case .floatingPoint(let layout) = encoding, layout.exponentBitCount > 0 else {
      return nil
    }
    return layout.exponentBias
  }

  /// The code of the least integer, of a two's-complement format; `nil` elsewhere.
  package var leastIntegerCode: UInt32? {
    guard case .twosComplement = encoding else { return nil }
    return UInt32(codeCount / 2)
  }

  /// Whether the encoder produces the least integer, of a two's-complement format.
  package var producesLeastInteger: Bool {
    guard case .twosComplement(let layout) = encoding else { return false }
    return layout.range == .full
  }

  /// How codes with the highest bit set follow from the others.
  package enum Mirror: Hashable, Sendable {
    /// The highest bit is the sign: code c + 2^(n-1) is the negative of code c.
    case signBit
    /// Two's complement: code 2^n - c is the negative of code c.
    case complement
  }

  /// The rule by which negative values follow from positive ones; `nil` where there is none.
  package var mirror: Mirror? {
    switch encoding {
    case .twosComplement: .complement
    case .floatingPoint: isSigned ? .signBit : nil
    case .table: nil
    }
  }

  /// Whether no formula gives the values.
  package var isTable: Bool { if case .table = encoding { true } else { false } }

  /// Whether a table says itself where rounding to nearest changes, so that no tie is left to a rule.
  package var statesThresholds: Bool {
    guard case .table(let table) = encoding else { return false }
    return table.thresholds != nil
  }

  /// The finite value next to that of a code in a direction, as if values went on at the same distance
  /// beyond the ends.
  package func neighbour(of code: UInt32, isAbove: Bool) -> Double {
    let chosen = value(of: code)
    switch encoding {
    case .twosComplement:
      return chosen + (isAbove ? leastNonzeroMagnitude : -leastNonzeroMagnitude)
    case .floatingPoint:
      let isNegative = chosen.sign == .minus && isSigned
      let magnitude = isSigned ? code & UInt32(codeCount / 2 - 1) : code
      if magnitude == 0 && isAbove == isNegative && !hasZero {
        // The least values of both signs are neighbours; without a sign there is nothing below.
        return isSigned ? -chosen : 2 * chosen - value(of: 1)
      }
      let isOutward = isAbove != isNegative || magnitude == 0
      // Beyond zero the signs change.
      let sign: Double = magnitude == 0 ? (isAbove ? 1 : -1) : isNegative ? -1 : 1
      if isOutward && magnitude == greatestFiniteCode {
        return sign * (2 * chosen.magnitude - value(of: magnitude - 1))
      }
      return sign * value(of: isOutward ? magnitude + 1 : magnitude - 1)
    case .table(let table):
      guard let place = table.ascending.firstIndex(of: code) else { return .nan }
      return table.next(to: place, isAbove: isAbove)
    }
  }
}
