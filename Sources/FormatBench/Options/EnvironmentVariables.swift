import BlockFormats
import CommandLineToolkit

/// Refuses environment variables that ask for something which cannot be done.
///
/// Those of the terminal, `NO_COLOR` and `TERM`, have no wrong values. Empty ones count as not set.
enum EnvironmentVariables {
  /// Checks the variables that the tool and its library follow.
  ///
  /// - Throws: `CommandError.usage` for the first that cannot be followed.
  static func check(_ variables: [String: String]) throws(CommandError) {
    try check(KernelLevel.Request.variable, .kernelLevel, variables)
    // Shells say 0 where they do not know the width.
    try check("COLUMNS", .integer(in: 0...Int.max), variables)
  }

  private static func check<Value>(
    _ name: String, _ kind: ValueKind<Value>, _ variables: [String: String]
  ) throws(CommandError) {
    guard let text = variables[name], !text.isEmpty else { return }
    do {
      _ = try kind.parse(text)
    } catch {
      throw error.commandError(
        "\(name) in the environment", text: text, accepted: kind.accepted)
    }
  }
}
