internal import class Foundation.ProcessInfo

/// How much a test run does.
public enum Intensity: Sendable {
  /// Seconds, in a debug build.
  case standard
  /// Minutes, in a release build: exhaustive sweeps and full cross products.
  case deep

  /// Deep if the environment says `BLOCKFORMATS_DEEP_TESTS=1`.
  public static let current: Intensity =
    ProcessInfo.processInfo.environment["BLOCKFORMATS_DEEP_TESTS"] == "1" ? .deep : .standard

  public static var isDeep: Bool { current == .deep }
}
