/// A block format whose values are products of what its layout names: element × powers of two of its
/// parts × block scale × tensor scale.
///
/// The promise needs no code of its own: element and scale codes stand for the values of their
/// element formats, a sub-scale code τ for 2^-τ, and a bit that doubles for 1 or 2. Matrix products
/// rest on it, since they multiply elements first and scales later. Formats that keep their own way of
/// decoding, such as generators, do not conform; they take part in products by their decoded values.
public protocol FactoredFormat: LinearFormat {}

/// A block format whose values are what `FactoredFormat` says, plus the offset of their block where the
/// layout has one: element × block scale + offset.
///
/// How a format rounds on the way to a decoded value is its own matter. Products multiply elements,
/// scales and offsets, as `ProductDefinition` says, and not decoded values.
public protocol LinearFormat: BlockFormat {}

extension AffineFormat: LinearFormat {}
extension GGMLRangeFormat: LinearFormat {}

extension CastFormat: FactoredFormat {}
extension ScaledFormat: FactoredFormat {}
extension SharedExponentFormat: FactoredFormat {}
extension TwoLevelFormat: FactoredFormat {}
extension HiF4Format: FactoredFormat {}
