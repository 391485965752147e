import BlockFormats

/// One value on its way to a code and back.
struct ValueExplanation {
  var index: Int
  var value: Float
  /// The codes of the parts of the block that it lies in, in the order of `partFields`.
  var partCodes: [UInt32]
  /// What is rounded to an element; nil where the format gives no account.
  var scaled: Double?
  var code: UInt32
  var elementValue: Double
  var decoded: Float
  var reason: String

  /// The decoded value less the given one.
  var error: Double { Double(decoded) - Double(value) }
}

extension ExplainedBlock {
  /// All values of the block; none of a format whose codes are not those of elements.
  var rows: [ValueExplanation] {
    let parts = partFields
    let codes = trace.codes[0]
    guard codes.count == values.count else { return [] }
    return values.indices.map { position in
      ValueExplanation(
        index: firstIndex + position, value: values[position],
        partCodes: parts.map { trace.codes[$0.field][position / $0.length] },
        scaled: scaledValue(at: position), code: codes[position],
        elementValue: element.value(of: codes[position]), decoded: trace.decoded[position],
        reason: reason(at: position))
    }
  }

  /// What is rounded to an element; nil where the format gives no account.
  func scaledValue(at position: Int) -> Double? {
    account.map { isNaN ? .nan : $0.scaledValue(at: position, in: self) }
  }

  private func reason(at position: Int) -> String {
    let value = values[position]
    let whole = tensorScale.encode.isNaN ? "tensor" : "block"
    if isNaN {
      return value.isFinite
        ? "poisoned: the \(whole) holds a NaN or an infinity"
        : "\(value.isNaN ? "NaN" : "infinity") poisons its \(whole)"
    }
    guard let account, let scaled = scaledValue(at: position) else { return "" }
    if account.losesAllValues(of: self) {
      return value == 0 ? "zero" : "lost: the block's scale is zero"
    }
    let text = RoundingReason(
      element: element, policy: policy, value: value, scaled: scaled,
      code: trace.codes[0][position], index: UInt64(firstIndex + position),
      hasOffset: format.layout.fields.contains { $0.role == .offset }
    ).text
    return text + suffix(at: position, scaled)
  }

  /// What happened outside the element.
  private func suffix(at position: Int, _ scaled: Double) -> String {
    var text = ""
    let decoded = trace.decoded[position]
    let code = element.value(of: trace.codes[0][position])
    if decoded.isInfinite && code.isFinite { text += "; decoded beyond FP32" }
    if decoded == 0 && code != 0 { text += "; decoded below FP32" }
    if decoded.isFinite && decoded != values[position] && scaled == code
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
    if account == nil {
      notes.append(
        "\(format.id) gives no account of its arithmetic: these are the codes that it stores and the "
          + "values that they decode to.")
    }
    if clipped > 0 {
      let better = candidates.filter {
        $0.trace.tally.saturatedCount == 0 && !$0.isChosen
      }.map(\.name)
      var note = "\(clipped) of \(values.count) values clipped"
      if policy.scaleRule == .powerOfTwo(.floor) {
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

  /// What the format's rules would store for the block; nothing in a NaN block.
  var candidates: [ScaleCandidate] { isNaN ? [] : account?.candidates(for: self) ?? [] }

  /// The finite values that were too large and have the code of an infinity or of NaN.
  func overflowedCount(in trace: BlockTrace) -> Int {
    guard trace.tally.saturatedCount > 0 else { return 0 }
    return values.indices.count { position in
      let value = values[position]
      // A negative value is below an unsigned element, not beyond its largest.
      return value.isFinite && (element.isSigned || value > 0)
        && !element.value(of: trace.codes[0][position]).isFinite
    }
  }
}
