import FormatTestSupport
import Foundation

/// The files that the emulation script and these tests share.
enum EmulationFiles {
  /// Whether a test run writes the table instead of comparing it.
  static var isUpdating: Bool { isSwitchedOn("BLOCKFORMATS_UPDATE_EMULATION") }

  static let table = folder.appendingPathComponent("Driver/elements.inc")

  /// The hashes of `golden.txt` by the names of their cases.
  static func golden() throws -> [String: UInt64] {
    let text = try String(contentsOf: folder.appendingPathComponent("golden.txt"), encoding: .utf8)
    var hashes: [String: UInt64] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 2, let hash = UInt64(words[0], radix: 16) else {
        throw CocoaError(.fileReadCorruptFile)
      }
      hashes[String(words[1])] = hash
    }
    return hashes
  }

  private static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Emulation")
}
