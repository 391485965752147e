/// A choice by name: its raw value is what files, options and reports say.
///
/// It prints as its raw value and is read from it; any other text is no such choice (`nil`, and a
/// `DecodingError` where it is decoded).
public protocol NamedChoice: RawRepresentable<String>, CaseIterable, Codable, Hashable,
  LosslessStringConvertible, Sendable
{}

extension NamedChoice {
  /// The raw value.
  public var description: String { rawValue }

  /// The choice of a raw value.
  public init?(_ description: String) { self.init(rawValue: description) }
}
