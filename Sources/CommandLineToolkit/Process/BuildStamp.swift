/// What an executable was built from, as it is told when it is built.
package struct BuildStamp: Sendable {
  /// The commit, marked where the checkout had changes; `unknown` outside a checkout.
  package let commit: String
  /// The compiler's name for its version; `unknown` where it does not tell.
  package let compiler: String

  /// A stamp of the given parts.
  package init(commit: String, compiler: String) {
    self.commit = commit
    self.compiler = compiler
  }

  /// The stamp of a process that was told nothing.
  package static let unknown = BuildStamp(commit: "unknown", compiler: "unknown")
}
