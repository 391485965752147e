import BlockFormats
import FormatTestSupport

/// Differences between the library and the oracle: a count and the first few, for one `#expect`.
struct ElementMismatches: CustomStringConvertible {
  private(set) var count = 0
  private(set) var checkCount = 0
  private var first: [String] = []

  var isEmpty: Bool { count == 0 }

  var description: String { "\(count) of \(checkCount) differ:\n" + first.joined(separator: "\n") }

  /// Notes a difference between two values.
  mutating func expect<Value: Equatable>(
    _ actual: Value, _ expected: Value, _ subject: @autoclosure () -> String
  ) {
    checkCount += 1
    if actual != expected { note("\(subject()): expected \(expected), got \(actual)") }
  }

  /// Notes a code that differs from the oracle's.
  mutating func expectCode(
    _ actual: UInt32, _ expected: UInt32, of value: Double, _ element: ReferenceElement,
    _ rules: @autoclosure () -> String
  ) {
    checkCount += 1
    guard actual != expected else { return }
    note(
      "\(element) \(rules()) \(hex(value)): expected \(hex(expected)), got \(hex(actual))")
  }

  /// Notes values that differ in any bit; all NaNs are one.
  mutating func expectSame(
    _ actual: Double, _ expected: Double, _ subject: @autoclosure () -> String
  ) {
    checkCount += 1
    if actual.isNaN && expected.isNaN || actual.bitPattern == expected.bitPattern { return }
    note("\(subject()): expected \(hex(expected)), got \(hex(actual))")
  }

  mutating func note(_ line: String) {
    count += 1
    if first.count < 5 { first.append(line) }
  }
}

/// A code as hexadecimal.
func hex(_ code: some BinaryInteger) -> String { "0x" + String(code, radix: 16, uppercase: true) }

/// A value with its bit pattern, so that neighbours can be told apart.
func hex(_ value: Double) -> String {
  "\(value) [0x\(String(value.bitPattern, radix: 16, uppercase: true))]"
}
