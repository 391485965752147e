/// A subcommand of the tool.
///
/// A new one is one file that conforms to this protocol and one line in the list that the tool has of
/// its commands.
package protocol Command: Sendable {
  /// Everything parser and help know about the command.
  static var declaration: CommandDeclaration { get }

  /// Does the work: data to the console's output, everything else to its messages.
  ///
  /// Output is written once the result is complete, so that a failure leaves none of it behind.
  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus
}
