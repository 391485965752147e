/// How this program was compiled.
enum BuildFacts {
  /// The configuration, which decides whether measured times mean anything.
  enum Configuration: String, Sendable {
    case debug
    case release
  }

  /// The configuration of this build.
  static var configuration: Configuration {
    #if DEBUG
    .debug
    #else
    .release
    #endif
  }

  /// The architecture this build is for.
  static var architecture: String {
    #if arch(x86_64)
    "x86_64"
    #elseif arch(arm64)
    "arm64"
    #else
    "other"
    #endif
  }

  /// The operating system this build is for.
  static var system: String {
    #if os(Linux)
    "Linux"
    #elseif os(macOS)
    "macOS"
    #else
    "other"
    #endif
  }
}
