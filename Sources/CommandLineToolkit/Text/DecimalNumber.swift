import CallerChecks

/// The shortest decimal that gives a finite double back, ready to be rounded and written.
///
/// Its value is d₀.d₁d₂… × 10^exponent; zero has no digits.
struct DecimalNumber {
  private var isNegative: Bool
  private var digits: [UInt8]
  private var exponent: Int

  /// The digits of `value.description`.
  ///
  /// - Precondition: `value` is finite.
  init(_ value: Double) {
    require(value.isFinite, "\(value) has no decimal digits")
    isNegative = value < 0
    digits = []
    exponent = -1
    var pointSeen = false
    let text = value.magnitude.description
    let mantissa = text.utf8.prefix { $0 != UInt8(ascii: "e") }
    for byte in mantissa {
      if byte == UInt8(ascii: ".") {
        pointSeen = true
      } else {
        digits.append(byte - UInt8(ascii: "0"))
        if !pointSeen { exponent += 1 }
      }
    }
    if mantissa.endIndex < text.endIndex {
      let power = text[text.index(after: mantissa.endIndex)...]
      exponent += Int(power.drop { $0 == "+" }) ?? 0
    }
    let leadingZeros = digits.prefix { $0 == 0 }.count
    digits.removeFirst(leadingZeros)
    exponent -= leadingZeros
    while digits.last == 0 { digits.removeLast() }
  }

  /// With a fixed number of decimals; a value that rounds to zero has no sign.
  func fixed(decimals: Int) -> String {
    plain(rounded(digitCount: exponent + 1 + decimals), decimals: decimals)
  }

  /// With `count` significant digits, zeros at the end included; zero is `0`.
  ///
  /// Plain from 0.0001 up to a million, or up to 10^count if that is more; otherwise `d.dde±xx`.
  func significant(_ count: Int) -> String {
    let value = rounded(digitCount: count)
    guard !value.digits.isEmpty else { return "0" }
    if (-4..<max(6, count)).contains(value.exponent) {
      return plain(value, decimals: max(0, count - 1 - value.exponent))
    }
    var mantissa = value
    mantissa.exponent = 0
    let power = String(value.exponent.magnitude)
    return plain(mantissa, decimals: count - 1) + (value.exponent < 0 ? "e-" : "e+")
      + (power.count < 2 ? "0" : "") + power
  }

  /// Keeps the first digits, rounding to nearest, ties to even; may be none or fewer than none.
  private func rounded(digitCount: Int) -> DecimalNumber {
    guard digitCount < digits.count else { return self }
    var result = self
    result.digits.removeSubrange(max(0, digitCount)...)
    // Fewer than no digits: the value is below a tenth of a unit of the last place kept.
    guard digitCount >= 0 else { return result }
    let isTie = digits[digitCount] == 5 && digits.count == digitCount + 1
    let isOdd = (result.digits.last ?? 0) & 1 == 1
    if isTie ? isOdd : digits[digitCount] >= 5 { result.increment() }
    while result.digits.last == 0 { result.digits.removeLast() }
    return result
  }

  /// Adds one unit of the last digit.
  private mutating func increment() {
    while let last = digits.last {
      digits.removeLast()
      if last < 9 {
        digits.append(last + 1)
        break
      }
    }
    if digits.isEmpty {
      digits = [1]
      exponent += 1
    }
  }

  private func plain(_ value: DecimalNumber, decimals: Int) -> String {
    var text = value.isNegative && !value.digits.isEmpty ? "-" : ""
    for position in stride(from: max(0, value.exponent), through: -decimals, by: -1) {
      if position == -1 { text += "." }
      let index = value.exponent - position
      text += String(value.digits.indices.contains(index) ? value.digits[index] : 0)
    }
    return text
  }
}
