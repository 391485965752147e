import CallerChecks
import UntrustedText

/// The keys and values of a GGUF file, in the order of the file.
///
/// What a file holds is written back byte for byte. Keys are told apart by their bytes, and two
/// lists are equal if their bytes in a file are, order included.
public struct GGUFMetadata: Equatable, Sendable {
  /// A key and its value.
  public struct Entry: Equatable, Sendable {
    /// The key, such as `general.architecture`.
    public let key: String
    /// The value.
    public var value: GGUFValue

    /// Whether two entries have the same bytes.
    public static func == (first: Entry, second: Entry) -> Bool {
      ExactText(first.key) == ExactText(second.key) && first.value == second.value
    }
  }

  /// All entries, in the order they are stored.
  public private(set) var entries: [Entry] = []
  private var indices: [ExactText: Int] = [:]

  /// A list without entries.
  public init() {}

  /// The value of a key, or nil if there is none.
  public subscript(key: String) -> GGUFValue? {
    indices[ExactText(key)].map { entries[$0].value }
  }

  /// Replaces the value of a key in its place, or adds a new key at the end.
  ///
  /// - Precondition: The key has 1 to `GGUFFile.nameLimit` bytes, and there are at most
  ///   `GGUFFile.countLimit` keys.
  public mutating func set(_ key: String, _ value: GGUFValue) {
    if let index = indices[ExactText(key)] {
      entries[index].value = value
      return
    }
    let length = key.utf8.count
    require(
      length >= 1 && length <= GGUFFile.nameLimit,
      "a metadata key of \(length) bytes, of 1 to \(GGUFFile.nameLimit)")
    require(
      entries.count < GGUFFile.countLimit, "more than \(GGUFFile.countLimit) metadata keys")
    append(key, value)
  }

  /// Sets a key to an array of strings; see `set(_:_:)`.
  public mutating func set(_ key: String, _ strings: [String]) {
    set(key, .array(GGUFArray(strings)))
  }

  /// Sets a key to an array of integers of 8, 16, 32 or 64 bits; see `set(_:_:)`.
  public mutating func set<Integer: FixedWidthInteger>(_ key: String, _ integers: [Integer]) {
    set(key, .array(GGUFArray(integers)))
  }

  /// Sets a key to an array of binary32 floats; see `set(_:_:)`.
  public mutating func set(_ key: String, _ floats: [Float]) {
    set(key, .array(GGUFArray(floats)))
  }

  /// Takes a key and its value away, which takes time for every entry; nothing if there is none.
  public mutating func remove(_ key: String) {
    guard let index = indices[ExactText(key)] else { return }
    entries.remove(at: index)
    indices = Dictionary(uniqueKeysWithValues: zip(entries.lazy.map { ExactText($0.key) }, 0...))
  }

  /// Whether there is a value for the key.
  func contains(_ key: String) -> Bool { indices[ExactText(key)] != nil }

  /// Adds a key that is checked, and new.
  mutating func append(_ key: String, _ value: GGUFValue) {
    indices[ExactText(key)] = entries.count
    entries.append(Entry(key: key, value: value))
  }

  /// Whether two lists have the same bytes.
  public static func == (first: GGUFMetadata, second: GGUFMetadata) -> Bool {
    first.entries == second.entries
  }
}
