/// Why a text or a name gives no recipe, or a recipe does not suit a model.
public enum RecipeError: Error, Hashable, Sendable, CustomStringConvertible {
  /// No preset has this name.
  case unknownRecipe(String, known: [String])
  /// The text is not JSON.
  case syntax(line: Int, column: Int, reason: String)
  /// An object has a key twice.
  case duplicateKey(String, at: String)
  /// An object has a key that means nothing there.
  case unknownKey(String, at: String, known: [String])
  /// An object lacks a key.
  case missingKey(String, at: String)
  /// A value is of the wrong kind, or not among those allowed.
  case badValue(String, at: String, expected: String)
  /// The operands of a product have different transforms.
  case differentTransforms(LayerPlace, ProductRole)
  /// A tensor that is no operand of a product of two has a transform or a premultiplier.
  case transformOutsideProduct(LayerPlace, ProductRole)
  /// Neither block length of two operands divides the other.
  case unalignedBlocks(LayerPlace, ProductRole, String, String)
  /// A scan's state has a choice that needs more than one of its rows, or random bits.
  case unsuitableState(LayerPlace)
  /// A rule names a layer that the model does not have; `near` are names of its layers.
  case unknownLayer(String, RuleReference, near: [String])
  /// A rule names a layer, and its other conditions leave out every operand of it.
  case excludedLayer(String, RuleReference)
  /// A rule is about a block that the model does not have.
  case unknownBlock(Int, RuleReference, count: Int)
  /// A rule matches no operand of the model.
  case unmatchedRule(RuleReference)
  /// No rule of a recipe matches an operand of the model.
  case unmatchedRecipe(String)

  /// One line that names the place and what is accepted.
  public var description: String {
    switch self {
    case .unknownRecipe(let name, let known):
      "unknown recipe '\(name)'; known are \(known.joined(separator: ", "))"
    case .syntax(let line, let column, let reason):
      "not JSON at line \(line), column \(column): \(reason)"
    case .duplicateKey(let key, let path): "\(path): '\(key)' appears twice"
    case .unknownKey(let key, let path, let known):
      "\(path): unknown key '\(key)'; known are \(known.joined(separator: ", "))"
    case .missingKey(let key, let path): "\(path): '\(key)' is missing"
    case .badValue(let value, let path, let expected):
      "\(path): \(value) is not valid; expected \(expected)"
    case .differentTransforms(let place, let product):
      "\(product.rawValue) of \(place): the operands have different transforms"
    case .transformOutsideProduct(let place, let product):
      "\(product.rawValue) of \(place): only operands of a product can be transformed or scaled"
    case .unalignedBlocks(let place, let product, let a, let b):
      "\(product.rawValue) of \(place): the blocks of \(a) and \(b) do not align"
    case .unsuitableState(let place):
      "the state of \(place): only choices that round each row by itself, without random bits and "
        + "from FP32, suit it"
    case .unknownLayer(let name, let rule, let near):
      "\(rule): the model has no layer '\(name)'"
        + (near.isEmpty ? "" : "; near it are " + near.joined(separator: ", "))
    case .excludedLayer(let name, let rule):
      "\(rule): its other conditions leave out every operand of layer '\(name)'"
    case .unknownBlock(let number, let rule, let count):
      "\(rule): the model has no block \(number); its \(count) blocks count from 0"
    case .unmatchedRule(let rule): "\(rule): matches no operand of the model"
    case .unmatchedRecipe(let name): "no rule of recipe '\(name)' matches an operand of the model"
    }
  }
}
