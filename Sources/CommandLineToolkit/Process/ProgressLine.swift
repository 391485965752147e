/// The line that shows how far a run is and is overwritten in place.
struct ProgressLine {
  private static let interval = ContinuousClock.Duration.milliseconds(100)
  private static let clearing = "\r\u{1B}[K"

  private var isShown = false
  private var lastShown: ContinuousClock.Instant?

  /// Whether enough time has passed since the last update.
  var isDue: Bool {
    guard let lastShown else { return true }
    return lastShown.duration(to: .now) >= Self.interval
  }

  /// The bytes that replace the line; cut to the terminal, since a wrapped line cannot be erased.
  mutating func show(_ text: String, columns: Int) -> String {
    isShown = true
    lastShown = .now
    return Self.clearing + TextLayout.elided(TextLayout.escaped(text), width: columns - 1)
  }

  /// The bytes that take the line away.
  mutating func clear() -> String {
    defer { isShown = false }
    return isShown ? Self.clearing : ""
  }
}
