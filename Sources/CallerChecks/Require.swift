/// Stops the program with a message when a caller breaks a documented precondition.
///
/// Like `precondition`, whose message optimised builds drop: there the numbers matter most.
@inlinable
@inline(__always)
package func require(
  _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String,
  file: StaticString = #fileID, line: UInt = #line
) {
  if !condition() { fatalError("precondition failed: " + message(), file: file, line: line) }
}
