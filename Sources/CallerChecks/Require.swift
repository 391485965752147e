/// Stops the program with a message when a caller breaks a documented precondition.
///
/// Every check of callers goes through here or through `refuse`, in every module: optimised builds
/// drop the message of `precondition`, where the numbers matter most, and `-Ounchecked` drops the
/// check as well.
@inlinable
@inline(__always)
package func require(
  _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String,
  file: StaticString = #fileID, line: UInt = #line
) {
  if !condition() { refuse(message(), file: file, line: line) }
}

/// Stops the program with a message in a place that only a caller's mistake leads to.
@inlinable
package func refuse(
  _ message: String, file: StaticString = #fileID, line: UInt = #line
) -> Never {
  fatalError("precondition failed: " + message, file: file, line: line)
}
