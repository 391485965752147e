/// One kind of code that a block format stores: what it is called, how its codes stand for numbers,
/// how many there are and what they do.
public struct StoredField: Hashable, Sendable {
  /// The field's name in files and errors: lower-case ASCII, words joined by `_`, such as `scales`.
  public let name: String
  /// How a code stands for a number.
  public let element: ElementFormat
  /// How many codes there are.
  public let extent: Extent
  /// What the numbers do to the elements of a block.
  public let role: Role
  /// The name of one code, such as `scale`.
  public let singular: String

  /// How many codes a field has.
  public enum Extent: Hashable, Sendable {
    /// One for every element.
    case everyElement
    /// One for every n consecutive elements of a block, the last ones possibly fewer.
    case every(Int)
    /// The same number for every block, whatever its length.
    case perBlock(Int)
    /// One for the tensor.
    case perTensor
  }

  /// What a field's numbers do.
  public enum Role: String, Hashable, Sendable, CaseIterable {
    /// They multiply.
    case factor
    /// They are added after all factors.
    case offset
    /// Only the format knows.
    case opaque
  }

  /// Creates a field; `BlockLayout.init(block:fields:)` checks it.
  ///
  /// - Parameters:
  ///   - name: the field's name.
  ///   - element: how a code stands for a number.
  ///   - extent: how many codes there are.
  ///   - role: what the numbers do.
  ///   - singular: the name of one code; the field's name without a last `s` if `nil`.
  public init(
    _ name: String, _ element: ElementFormat, _ extent: Extent, role: Role = .factor,
    singular: String? = nil
  ) {
    self.name = name
    self.element = element
    self.extent = extent
    self.role = role
    self.singular = singular ?? (name.hasSuffix("s") ? String(name.dropLast()) : name)
  }

  /// The name in words.
  package var title: String { StoredField.words(name) }

  private static func words(_ name: String) -> String {
    name.replacing("subscale", with: "sub-scale").split(separator: "_").joined(separator: " ")
  }

  /// The name of one code in words, as a heading: `Sub-scale`.
  package var singularTitle: String {
    let title = StoredField.words(singular)
    return title.prefix(1).uppercased() + title.dropFirst()
  }

  /// The bits of a code.
  public var bitWidth: Int { element.bitWidth }
}

extension StoredField {
  /// The codes of the elements, the first field of nearly every layout.
  public static func codes(_ element: ElementFormat) -> StoredField {
    StoredField("codes", element, .everyElement)
  }

  /// One factor for each block.
  public static func blockScale(_ element: ElementFormat) -> StoredField {
    StoredField("scales", element, .perBlock(1))
  }

  /// Shared microexponents: n bits that lower the exponent of `length` elements.
  ///
  /// - Precondition: 1...8 bits.
  public static func microexponents(bitCount: Int, length: Int) -> StoredField {
    StoredField("subscales", .microexponent(bitCount: bitCount), .every(length))
  }

  /// One FP32 factor for the tensor.
  public static let tensorScale = StoredField("tensor_scale", .fp32, .perTensor)
}
