/// One aspect of a policy: a set of named alternatives.
public protocol PolicyChoice: Hashable, Sendable, Codable, LosslessStringConvertible {
  /// The alternative's name in options, files and reports.
  var id: String { get }
  /// The alternative in a few words.
  var meaning: String { get }
  /// The alternative that an id names.
  init?(id: String)
  /// Every alternative; of those with parameters, one for all.
  static var alternatives: [Self] { get }
}

extension PolicyChoice {
  /// The alternative's id.
  public var description: String { id }

  /// The alternative that an id names.
  public init?(_ description: String) { self.init(id: description) }

  /// Decodes the alternative from its id.
  public init(from decoder: any Decoder) throws { try self.init(decodingID: decoder) }

  /// Encodes the alternative as its id.
  public func encode(to encoder: any Encoder) throws { try encodeID(to: encoder) }

  fileprivate init(decodingID decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let id = try container.decode(String.self)
    guard let choice = Self(id: id) else {
      let known = Self.alternatives.map(\.id).joined(separator: ", ")
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "'\(id)' is none of \(known)")
    }
    self = choice
  }

  fileprivate func encodeID(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(id)
  }
}

extension PolicyChoice where Self: RawRepresentable<String> & CaseIterable {
  /// The alternative that an id names.
  public init?(id: String) { self.init(rawValue: id) }

  /// Every alternative.
  public static var alternatives: [Self] { Array(allCases) }

  // Without these two the compiler finds those above and the ones of raw values, and makes others.

  /// Decodes the alternative from its id.
  public init(from decoder: any Decoder) throws { try self.init(decodingID: decoder) }

  /// Encodes the alternative as its id.
  public func encode(to encoder: any Encoder) throws { try encodeID(to: encoder) }
}

extension RoundingRule: PolicyChoice {
  /// Every rule, the stochastic one with seed 0.
  public static var alternatives: [RoundingRule] {
    deterministic + [.stochastic(StochasticSource(seed: 0))]
  }
}
