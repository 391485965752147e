/// A part of a recipe that files and coders write in one way: as a value of a recipe's JSON.
protocol RecipePart: Codable {
  /// What errors call the part where it stands alone.
  static var path: String { get }
  /// Takes a value apart.
  init(_ value: JSONValue, at path: String) throws(RecipeError)
  /// The part as a value, every choice written out.
  var jsonValue: JSONValue { get }
}

extension RecipePart {
  /// Decodes what stands in a recipe's JSON: the same keys, values and defaults.
  ///
  /// - Throws: `DecodingError.dataCorrupted` with the description of the `RecipeError`, which is its
  ///   underlying error. What a decoder hides is not seen: JSON's repeated keys, and digits beyond
  ///   `Double`.
  public init(from decoder: any Decoder) throws {
    let value = try CodedJSON(from: decoder).value
    do throws(RecipeError) {
      try self.init(value, at: Self.path)
    } catch {
      throw DecodingError.dataCorrupted(
        DecodingError.Context(
          codingPath: decoder.codingPath, debugDescription: error.description,
          underlyingError: error))
    }
  }

  /// Encodes what stands in a recipe's JSON; a format is its id, and so must be one of the catalog's
  /// to be decoded again.
  public func encode(to encoder: any Encoder) throws {
    try CodedJSON(jsonValue).encode(to: encoder)
  }
}
