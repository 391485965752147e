import BlockFormats
import CommandLineToolkit

/// Why a value has its code: one phrase, from the element's table of values.
struct RoundingReason {
  let element: ElementFormat
  let policy: EncodingPolicy
  /// The value that was given.
  let value: Float
  /// The value that was rounded to an element.
  let scaled: Double
  /// The code that the encoder chose.
  let code: UInt32
  /// The row-major index, for stochastic rounding.
  let index: UInt64
  /// Whether an offset is added to the element, so that an element of zero loses nothing.
  let hasOffset: Bool

  private var chosen: Double { element.value(of: code) }

  /// The phrase.
  var text: String {
    if value.isNaN {
      return chosen.isNaN
        ? "NaN kept in its element" : "NaN becomes \(name(chosen)) (\(policy.nonFinite.id))"
    }
    if value.isInfinite {
      if chosen.isInfinite { return "infinity kept" }
      return chosen.isNaN
        ? "infinity becomes NaN: \(element.name) has no infinity"
        : "infinity saturates at \(name(chosen))"
    }
    if scaled < 0 && !element.isSigned { return "negative, but \(element.name) has no sign" }
    if scaled == chosen { return exact }
    if isLimited { return "clipped at \(name(chosen)): beyond it, decoded values leave FP32" }
    if element.overflows(scaled, rounding: policy.rounding, index: index) { return overflow }
    if !element.hasZero && scaled.magnitude < element.leastNonzeroMagnitude {
      return "below the smallest value \(name(element.leastNonzeroMagnitude))"
    }
    return chosen == 0 && !hasOffset ? "underflowed to \(name(chosen)), \(rounded)" : rounded
  }

  /// Whether the block's scale ends the codes before the element does.
  private var isLimited: Bool {
    let unlimited = element.code(
      for: scaled, rounding: policy.rounding, overflow: policy.overflow, index: index)
    // Zeros of either sign are one value.
    return code != unlimited && element.value(of: code) != element.value(of: unlimited)
  }

  private var exact: String {
    guard value == 0 else {
      return scaled == 0 && !hasOffset ? "underflowed to \(name(chosen))" : "exact"
    }
    if hasOffset { return "exact" }
    guard value.sign == .minus else { return "exact" }
    return chosen.sign == .minus ? "exact, -0 kept" : "-0 becomes +0"
  }

  private var overflow: String {
    guard chosen.isFinite else { return "overflow becomes \(name(chosen))" }
    return "clipped at \(extreme)"
  }

  private var extreme: String { "the \(chosen < 0 ? "least" : "largest") value \(name(chosen))" }

  // MARK: - Neighbours

  /// The value on the other side of the scaled one, as if the codes went on above the largest.
  private var neighbour: Double { element.neighbour(of: code, isAbove: scaled > chosen) }

  private var rounded: String {
    let (low, high) = (min(chosen, neighbour), max(chosen, neighbour))
    let between = "\(name(low)) and \(name(high))"
    let direction = chosen > scaled ? "up" : "down"
    guard scaled.magnitude <= element.greatestFiniteMagnitude || isBeyondLeastInteger else {
      return "rounded \(direction) to \(extreme): the next would be \(name(neighbour))"
    }
    let isTie = scaled - low == high - scaled
    switch policy.rounding {
    case .toNearestOrEven where element.statesThresholds,
      .toNearestOrAway where element.statesThresholds,
      .toNearestOrTowardZero where element.statesThresholds,
      .toNearestOrUp where element.statesThresholds:
      return "rounded \(direction), by the table's threshold between \(between)"
    case .toNearestOrEven:
      return isTie
        ? "tie between \(between): to the even code" : "rounded \(direction): nearest of \(between)"
    case .toNearestOrAway:
      return isTie
        ? "tie between \(between): away from zero" : "rounded \(direction): nearest of \(between)"
    case .toNearestOrTowardZero:
      return isTie
        ? "tie between \(between): toward zero" : "rounded \(direction): nearest of \(between)"
    case .toNearestOrUp:
      return isTie
        ? "tie between \(between): toward +Inf" : "rounded \(direction): nearest of \(between)"
    case .towardZero: return "rounded \(direction), toward zero, between \(between)"
    case .up, .down: return "rounded \(direction) between \(between)"
    case .toOdd: return "rounded \(direction) to the odd code between \(between)"
    case .stochastic:
      let share = NumberStyle.significant(3).text((scaled - low) / (high - low))
      return "stochastic: rounded \(direction), \(share) of the way from \(name(low)) "
        + "to \(name(high))"
    }
  }

  /// Whether the value lies where only a two's-complement format with its full range has one.
  private var isBeyondLeastInteger: Bool {
    element.producesLeastInteger && scaled < 0
  }

  private func name(_ value: Double) -> String { ExactNumber.text(value) }
}
