import Foundation

/// Digests of everything the package computes, kept under `Tests/Vectors/released`.
///
/// A digest that moves is a change of released bits: an accident, or a mended fault that is recorded
/// with its reason in the message of the commit that records the files again. Run the tests with
/// `BLOCKFORMATS_UPDATE_RELEASED_BITS=1` for that.
public struct ReleasedBits {
  private let file: URL
  private let recorded: [String: String]

  /// Opens `Tests/Vectors/released/NAME.txt`, whose lines are a name, a tab and the digests.
  public init(_ name: String) throws {
    file = try VectorFile.directory().appendingPathComponent("released/\(name).txt")
    var recorded: [String: String] = [:]
    if let text = try? String(contentsOf: file, encoding: .utf8) {
      for line in text.split(separator: "\n") where !line.hasPrefix("#") {
        let parts = line.split(separator: "\t", maxSplits: 1)
        guard parts.count == 2 else { throw CocoaError(.fileReadCorruptFile) }
        recorded[String(parts[0])] = String(parts[1])
      }
    }
    self.recorded = recorded
  }

  /// Whether this run writes the files instead of comparing.
  public static var isRecording: Bool {
    isSwitchedOn("BLOCKFORMATS_UPDATE_RELEASED_BITS")
  }

  /// Whether this run computes all digests, or only the first few of each name.
  public static var isComplete: Bool { isRecording || Intensity.isDeep }

  /// Says what differs from the recorded digests, one sentence each; writes them when recording.
  ///
  /// - Parameter lines: names with digests in the recorded order; the last ones may be left out.
  public func differences(from lines: [(name: String, digests: [Digest])]) throws -> [String] {
    let found = lines.map { ($0.name, $0.digests.map(\.description).joined(separator: " ")) }
    if Self.isRecording {
      let text = found.map { "\($0.0)\t\($0.1)\n" }.joined()
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
      return []
    }
    let names = Set(found.map(\.0))
    return found.compactMap { name, digests in
      guard let old = recorded[name] else { return "\(name) is not recorded" }
      let pairs = zip(old.split(separator: " "), digests.split(separator: " "))
      let places = pairs.enumerated().filter { $1.0 != $1.1 }.map { "\($0.offset)" }
      if places.isEmpty { return nil }
      return "\(name) computes other bits in \(places.joined(separator: ", "))"
    } + recorded.keys.filter { !names.contains($0) }.sorted().map { "\($0) is gone" }
  }
}

/// A 64-bit FNV-1a hash of words, fed byte by byte from the lowest.
///
/// Source: Fowler, Noll, Vo, "The FNV Non-Cryptographic Hash Algorithm".
public struct Digest: CustomStringConvertible, Sendable {
  private var state: UInt64 = 0xCBF2_9CE4_8422_2325

  public init() {}

  public mutating func feed(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
  }

  public mutating func feed(_ word: some FixedWidthInteger) {
    withUnsafeBytes(of: word.littleEndian) { feed($0) }
  }

  /// Feeds bit patterns, so that zeros keep their signs; every NaN counts as one.
  public mutating func feed(_ values: some Sequence<Float>) {
    for value in values { feed(value.isNaN ? 0x7FC0_0000 : value.bitPattern) }
  }

  public var description: String {
    let digits = String(state, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
