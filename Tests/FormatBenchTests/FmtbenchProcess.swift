import Foundation
import Testing

/// The program itself, run as a process of its own.
final class FmtbenchProcess {
  private let process = Process()
  private let messages: URL

  /// Starts a command line.
  ///
  /// - Parameter folder: where the messages go.
  init(_ arguments: [String], messagesIn folder: TemporaryFolder) throws {
    messages = URL(fileURLWithPath: folder.path("messages-\(UUID().uuidString)"))
    try Data().write(to: messages)
    process.executableURL = URL(fileURLWithPath: try BuiltProgram.path())
    process.arguments = arguments
    process.standardError = try FileHandle(forWritingTo: messages)
    process.standardOutput = FileHandle.nullDevice
    try process.run()
  }

  /// The number of the process.
  var identifier: Int32 { process.processIdentifier }

  /// Sends a signal.
  func send(_ signal: Int32) { kill(identifier, signal) }

  /// Waits for the end: the status, or the number of the signal that ended it, below zero.
  func wait() -> Int32 {
    process.waitUntilExit()
    return process.terminationReason == .exit
      ? process.terminationStatus : -process.terminationStatus
  }

  /// What it wrote to standard error so far.
  var standardError: String {
    (try? String(contentsOf: messages, encoding: .utf8)) ?? ""
  }
}
