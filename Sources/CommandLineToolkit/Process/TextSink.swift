/// Where a console writes: a file descriptor of the process, or a buffer in tests.
package protocol TextSink: Sendable {
  /// The width of the terminal in columns; nil when the sink is no terminal.
  var terminalColumns: Int? { get }

  /// Writes all bytes.
  func write(_ bytes: [UInt8]) throws(WriteFailure)
}

/// Why bytes could not be written.
package enum WriteFailure: Error, Equatable, Sendable {
  /// The reader of the pipe has gone, which is no error: it has read all it wants.
  case readerGone
  /// The system's description of anything else, such as a full disk.
  case failed(String)
}
