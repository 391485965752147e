import Foundation

/// Access to the conformance vectors stored under `Tests/Vectors`.
///
/// The files are found from the location of this source file, so the tests run from any working
/// directory as long as the checkout is intact.
public enum VectorFile {
  /// Decodes one vector file, named by its path below `Tests/Vectors`.
  ///
  /// - Parameters:
  ///   - type: the struct of the file's schema family, see `Tests/Vectors/README.md`.
  ///   - path: for example `elements/decode/e4m3fn.json`.
  public static func load<Schema: Decodable>(
    _ type: Schema.Type, from path: String
  ) throws -> Schema {
    let data = try Data(contentsOf: directory().appendingPathComponent(path))
    return try JSONDecoder().decode(type, from: data)
  }

  /// Decodes a vector file anywhere; see `load(_:from:)`.
  public static func load<Schema: Decodable>(
    _ type: Schema.Type, at path: String
  ) throws -> Schema {
    try JSONDecoder().decode(type, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// Paths, below `Tests/Vectors` and in name order, of the JSON files directly in a folder.
  ///
  /// - Parameters:
  ///   - folder: for example `mx` or `elements/encode`.
  ///   - prefix: only files whose names start with it; empty takes all.
  public static func paths(in folder: String, prefix: String = "") throws -> [String] {
    let url = try directory().appendingPathComponent(folder)
    return try FileManager.default.contentsOfDirectory(atPath: url.path)
      .filter { $0.hasPrefix(prefix) && $0.hasSuffix(".json") }
      .sorted()
      .map { "\(folder)/\($0)" }
  }

  /// The path of a file or folder below `Tests/Vectors`.
  public static func path(of name: String) throws -> String {
    try directory().appendingPathComponent(name).path
  }

  /// The folder `Tests/Vectors` of the checkout.
  static func directory() throws -> URL {
    var url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    while url.path != "/" {
      let candidate = url.appendingPathComponent("Tests/Vectors")
      if FileManager.default.fileExists(atPath: candidate.path) { return candidate }
      url.deleteLastPathComponent()
    }
    throw CocoaError(.fileNoSuchFile)
  }
}

/// Where the values of a vector file came from.
public struct VectorHeader: Decodable, Sendable {
  public let tool: String
  public let version: String
  public let command: String
  public let date: String
  public let source: String
  public let comment: String
}

/// Float32 values stored as 8-digit hexadecimal bit patterns separated by spaces.
public struct Float32Words: Decodable, Sendable, Equatable {
  public let bitPatterns: [UInt32]

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    bitPatterns = try text.split(separator: " ").map { word in
      guard word.utf8.count == 8, let pattern = UInt32(word, radix: 16) else {
        throw DecodingError.dataCorruptedError(
          in: container, debugDescription: "'\(word)' is not an 8-digit hexadecimal word")
      }
      return pattern
    }
  }

  /// The values; every NaN in the files is the pattern 7fc00000.
  public var values: [Float] { bitPatterns.map { Float(bitPattern: $0) } }
}
