/// What an executable was built from, as it is told when it is built.
public struct BuildStamp: Sendable {
  /// The commit, marked where the checkout had changes; `unknown` outside a checkout.
  public let commit: String
  /// The compiler's name for its version; `unknown` where it does not tell.
  public let compiler: String

  /// A stamp of the given parts.
  public init(commit: String, compiler: String) {
    self.commit = commit
    self.compiler = compiler
  }

  /// The stamp of a process that was told nothing.
  static let unknown = BuildStamp(commit: "unknown", compiler: "unknown")
}
