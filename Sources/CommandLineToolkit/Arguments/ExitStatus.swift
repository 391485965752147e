/// What a run of the tool tells the shell.
package enum ExitStatus: Int32, Sendable, CaseIterable {
  /// The command did what it was asked.
  case done = 0
  /// The command ran, and a check it makes did not hold, or it was stopped with nothing saved.
  case checkFailed = 1
  /// The command line itself is wrong.
  case usage = 2
  /// An input cannot be read or is malformed, or an output cannot be written.
  case input = 3
  /// The user stopped the command by Ctrl-C or another signal; all that it had is saved.
  case interrupted = 130

  /// The meaning in the words of the help text.
  package var summary: String {
    switch self {
    case .done: "done"
    case .checkFailed: "a check failed, or stopped with nothing saved"
    case .usage: "wrong usage"
    case .input: "unreadable or malformed input, or output not written"
    case .interrupted: "stopped by the user, with its state saved"
    }
  }
}
