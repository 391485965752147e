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

  public static func == (a: CodableFormat, b: CodableFormat) -> Bool {
    a.format.isSame(as: b.format)
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(format.id) }
}

extension EncodingPolicy: Codable {
  private struct Key: CodingKey {
    let aspect: PolicyAspect

    init(_ aspect: PolicyAspect) { self.aspect = aspect }
    init?(stringValue: String) {
      guard let aspect = PolicyAspect(rawValue: stringValue) else { return nil }
      self.aspect = aspect
    }
    init?(intValue: Int) { nil }
    var stringValue: String { aspect.key }
    var intValue: Int? { nil }
  }

  /// Decodes a policy from the ids of its choices; the scale rule must be there, what else is left out
  /// is as in `init(rounding:overflow:nonFinite:scaleRule:scaleFloor:zeroBlock:)`.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
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

  /// Encodes the name.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
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
