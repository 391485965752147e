import BlockFormats

/// One value on its way to a code and back.
struct ValueExplanation {
  var index: Int
  var value: Float
  var subscale: UInt32
  var scaled: Double
  var code: UInt32
  var elementValue: Double
  var decoded: Float
  var reason: String

  /// The decoded value less the given one.
  var error: Double { Double(decoded) - Double(value) }
}

extension BlockExplanation {
  /// All values of the block.
  var rows: [ValueExplanation] {
    values.indices.map { position in
      ValueExplanation(
        index: firstIndex + position, value: values[position],
        subscale: subscale(at: position), scaled: scaledValue(at: position),
        code: trace.codes[position], elementValue: element.value(of: trace.codes[position]),
        decoded: trace.decoded[position], reason: reason(at: position))
    }
  }

  private func reason(at position: Int) -> String {
    let value = values[position]
    let whole = tensorScale.encode.isNaN ? "tensor" : "block"
    if isNaN {
      return value.isFinite
        ? "poisoned: the \(whole) holds a NaN or an infinity"
        : "\(value.isNaN ? "NaN" : "infinity") poisons its \(whole)"
    }
    if hasZeroScale { return value == 0 ? "zero" : "lost: the block's scale is zero" }
    let text = RoundingReason(
      element: element, policy: policy, value: value, scaled: scaledValue(at: position),
      code: trace.codes[position], index: UInt64(firstIndex + position)
    ).text
    return text + suffix(at: position)
  }

  /// What happened outside the element.
  private func suffix(at position: Int) -> String {
    var text = ""
    let decoded = trace.decoded[position]
    let code = element.value(of: trace.codes[position])
    if decoded.isInfinite && code.isFinite { text += "; decoded beyond FP32" }
    if decoded == 0 && code != 0 { text += "; decoded below FP32" }
    if decoded.isFinite && decoded != values[position] && scaledValue(at: position) == code
      && decoded != 0
    {
      text += " after scaling, but the scale's own rounding remains"
    }
    return text
  }

  /// Sentences about the block as a whole.
  var notes: [String] {
    var notes: [String] = []
    let overflowed = overflowedCount(in: trace)
    let clipped = trace.tally.saturatedCount - overflowed
    if clipped > 0 {
      let better = candidates.filter {
        $0.clippedCount + $0.overflowedCount == 0 && !$0.isChosen
      }.map(\.name)
      var note = "\(clipped) of \(values.count) values clipped"
      if case .powerOfTwo(.floor) = policy.scaleRule {
        note +=
          ": floor keeps only the power of two of amax, and amax / scale may reach 2^"
          + "\(element.greatestExponent + 1) where the largest element value is "
          + ExactNumber.text(element.greatestFiniteMagnitude)
      }
      if !better.isEmpty { note += "; nothing clips under \(better.joined(separator: ", "))" }
      notes.append(note + ".")
    }
    if overflowed > 0 {
      notes.append(
        "\(overflowed) of \(values.count) values overflowed. Overflow rule \(policy.overflow.id): "
          + "\(policy.overflow.meaning).")
    }
    if isNaN {
      notes.append("Non-finite rule \(policy.nonFinite.id): \(policy.nonFinite.meaning).")
    }
    return notes
  }
}
