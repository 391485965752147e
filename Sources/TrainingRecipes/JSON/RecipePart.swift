import StrictJSON

/// A part of a recipe that files and coders write in one way: as a value of a recipe's JSON.
protocol RecipePart: Codable, Equatable {
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

  /// Encodes what stands in a recipe's JSON, every choice written out and a format as its id.
  ///
  /// - Throws: `EncodingError.invalidValue` for what would not be decoded as an equal part: a format
  ///   that the catalog does not give for its id, or conditions that match nothing, such as no blocks.
  public func encode(to encoder: any Encoder) throws {
    let value = jsonValue
    func refusal(_ reason: String, _ error: RecipeError? = nil) -> EncodingError {
      EncodingError.invalidValue(
        self,
        EncodingError.Context(
          codingPath: encoder.codingPath, debugDescription: reason, underlyingError: error))
    }
    let again: Self
    do throws(RecipeError) {
      again = try Self(value, at: Self.path)
    } catch {
      throw refusal(error.description, error)
    }
    guard again == self else { throw refusal("\(Self.path): would be decoded as another") }
    try CodedJSON(value).encode(to: encoder)
  }
}
