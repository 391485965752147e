import CallerChecks

extension CodingUserInfoKey {
  /// The catalog in which decoders look up ids; `FormatCatalog.current` where there is none.
  public static let formatCatalog: CodingUserInfoKey = {
    guard let key = CodingUserInfoKey(rawValue: "BlockFormats.formatCatalog") else {
      refuse("a key of decoders has no name")
    }
    return key
  }()
}

/// A format as its id, for coders.
///
/// Ids of composed formats are decoded to equal formats as long as their elements and scales have
/// standard names; default policies are those of the catalog.
public struct CodableFormat: Codable, Hashable, Sendable {
  /// The format.
  public let format: any BlockFormat

  /// Wraps a format.
  public init(_ format: any BlockFormat) { self.format = format }

  /// Decodes the format that an id names.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let id = try container.decode(String.self)
    do {
      format = try decoder.formatCatalog.format(id: id)
    } catch {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(error)")
    }
  }

  /// Encodes the id.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(format.id)
  }

  /// Equal where the formats are the same; default choices do not count.
  public static func == (a: CodableFormat, b: CodableFormat) -> Bool {
    a.format.isSame(as: b.format)
  }

  /// Hashes the id.
  public func hash(into hasher: inout Hasher) { hasher.combine(format.id) }
}

extension EncodingPolicy: Codable {
  private struct Key: CodingKey {
    let stringValue: String

    init(_ aspect: PolicyAspect) { stringValue = aspect.key }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
    var intValue: Int? { nil }
  }

  /// Decodes a policy from the ids of its choices.
  ///
  /// The scale rule must be there; what else is left out is as in
  /// `init(rounding:overflow:nonFinite:scaleRule:scaleFloor:zeroBlock:)`. A key that names no choice is
  /// an error.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let stranger = container.allKeys.map(\.stringValue).sorted().first {
      PolicyAspect(rawValue: $0) == nil
    }
    if let stranger {
      let known = PolicyAspect.allCases.map(\.key).joined(separator: ", ")
      throw DecodingError.dataCorrupted(
        DecodingError.Context(
          codingPath: container.codingPath,
          debugDescription: "a policy has no '\(stranger)'; it has \(known)"))
    }
    self.init(scaleRule: .unscaled)
    let rules = decoder.formatCatalog.scaleRules
    for aspect in PolicyAspect.allCases {
      let key = Key(aspect)
      guard container.contains(key) || aspect == .scaleRule else { continue }
      let id = try container.decode(String.self, forKey: key)
      guard aspect.choose(id, in: &self, scaleRules: rules) else {
        let known = aspect.alternatives(scaleRules: rules).map(\.id).joined(separator: ", ")
        throw DecodingError.dataCorruptedError(
          forKey: key, in: container, debugDescription: "'\(id)' is none of \(known)")
      }
    }
  }

  /// Encodes the ids of all choices.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    for aspect in PolicyAspect.allCases {
      try container.encode(aspect.chosen(in: self).id, forKey: Key(aspect))
    }
  }
}

extension ElementFormat: Codable {
  /// Decodes the format that a name stands for.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let name = try container.decode(String.self)
    do {
      try self.init(parsing: name)
    } catch {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(error)")
    }
  }

  /// Encodes the name, which must be one that stands for this format.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    guard ElementFormat(name) == self else {
      throw EncodingError.invalidValue(
        self,
        EncodingError.Context(
          codingPath: encoder.codingPath,
          debugDescription: "the name '\(name)' does not stand for the element format that has it"))
    }
    try container.encode(name)
  }
}

extension ElementFormat: LosslessStringConvertible {
  /// The format that a name stands for; `init(parsing:)` says why there is none.
  public init?(_ description: String) {
    guard let format = try? ElementFormat(parsing: description) else { return nil }
    self = format
  }
}

extension Decoder {
  fileprivate var formatCatalog: FormatCatalog {
    userInfo[.formatCatalog] as? FormatCatalog ?? .current
  }
}
