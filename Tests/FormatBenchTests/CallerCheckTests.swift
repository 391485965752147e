import Foundation
import Testing

@Suite("Checks of callers")
struct CallerCheckTests {
  @Test("No source but CallerChecks stops a program by a check that -Ounchecked may drop")
  func oneFunction() throws {
    let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Sources")
    let files = try #require(FileManager.default.enumerator(atPath: sources.path))
    var count = 0
    for case let file as String in files where file.hasSuffix(".swift") {
      let text = try String(contentsOf: sources.appendingPathComponent(file), encoding: .utf8)
      let lines = text.split(separator: "\n").filter {
        !$0.drop(while: \.isWhitespace).hasPrefix("//")
      }
      count += 1
      guard !file.hasPrefix("CallerChecks/") else { continue }
      let traps = lines.filter {
        $0.contains(
          /\b(precondition|preconditionFailure|assert|assertionFailure|fatalError)\(|\btry!|\bas!/)
      }
      #expect(traps.isEmpty, "\(file)")
    }
    #expect(count > 200)
  }
}
