internal import class Foundation.ProcessInfo

/// How much a test run does.
public enum Intensity: Sendable {
  /// Seconds, in a debug build.
  case standard
  /// Minutes, in a release build: exhaustive sweeps and full cross products.
  case deep

  /// Deep if the environment says `BLOCKFORMATS_DEEP_TESTS=1`.
  public static let current: Intensity =
    isSwitchedOn("BLOCKFORMATS_DEEP_TESTS") ? .deep : .standard

  public static var isDeep: Bool { current == .deep }
}

/// Whether an environment variable says `1`; `0`, the empty text and its absence say no.
///
/// Any other text traps: a run that asks for more must not do less in silence.
public func isSwitchedOn(_ variable: String) -> Bool {
  switch ProcessInfo.processInfo.environment[variable] {
  case nil, "", "0": return false
  case "1": return true
  case let text?: fatalError("\(variable) is '\(text)', which is neither 1 nor 0")
  }
}
