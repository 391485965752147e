/// A parameter of a family, written `block=32`, or `m` where it has no default.
public struct FormatParameter: Hashable, Sendable, CustomStringConvertible,
  ExpressibleByStringLiteral
{
  /// The key.
  public let name: String
  /// The value where none is given; `nil` where one must be.
  public let defaultValue: String?

  /// Creates a parameter from its written form.
  public init(stringLiteral text: String) {
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    name = parts[0]
    defaultValue = parts.count > 1 ? parts[1] : nil
  }

  /// The written form.
  public var description: String { defaultValue.map { "\(name)=\($0)" } ?? name }
}
