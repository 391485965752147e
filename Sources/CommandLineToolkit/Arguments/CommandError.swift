/// Why a command stopped; each case has its own exit status.
///
/// A message is one line: what is wrong, naming the offending option, file or value. A usage error
/// may carry a second line that says what is accepted.
package enum CommandError: Error, Equatable, Sendable {
  /// The command line is wrong.
  case usage(String, hint: String? = nil)
  /// A file cannot be read, is malformed, or cannot be written.
  case input(String)
  /// The command ran to its end, and a check did not hold.
  case checkFailed(String)
  /// The user stopped the command, which had nowhere to save its state.
  case abandoned(String)
  /// The user stopped the command, and its state is saved.
  case interrupted(String, hint: String)

  /// The status the process exits with.
  package var exitStatus: ExitStatus {
    switch self {
    case .usage: .usage
    case .input: .input
    case .checkFailed, .abandoned: .checkFailed
    case .interrupted: .interrupted
    }
  }

  /// The first line.
  package var message: String {
    switch self {
    case .usage(let message, _), .input(let message), .checkFailed(let message),
      .abandoned(let message), .interrupted(let message, _):
      message
    }
  }

  /// The second line, if there is one.
  package var hint: String? {
    switch self {
    case .usage(_, let hint): hint
    case .interrupted(_, let hint): hint
    case .input, .checkFailed, .abandoned: nil
    }
  }
}

extension CommandError {
  /// Runs `body` and reports its error, which describes itself in one line, as a file failure.
  ///
  /// This is the only bridge from the error types of other modules, so that every unreadable file
  /// ends in the same exit status and the same form of message.
  package static func bridgingFileFailures<
    Result: ~Copyable, Failure: Error & CustomStringConvertible
  >(
    _ body: () throws(Failure) -> Result
  ) throws(CommandError) -> Result {
    do {
      return try body()
    } catch {
      throw .input(error.description)
    }
  }
}
