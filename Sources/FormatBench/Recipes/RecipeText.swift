import BlockFormats
import TrainingRecipes

extension Recipe {
  /// What the notes of all recipes take for granted.
  static let commonNote = """
    Roles that no rule matches stay in FP32; the last rule that matches decides. Projections are \
    \(LayerKind.projections.map(\.rawValue).joined(separator: ", ")).
    """

  /// Every choice of the recipe in one paragraph, beside the common note.
  var note: String {
    var lines = ["\(name) (\(source))"] + rules.map(\.description)
    if rules.isEmpty { lines.append("no rules") }
    return (lines + notes.map { "note: \($0)" }).joined(separator: "; ") + "."
  }
}

extension Recipe {
  /// The ids of the formats of some roles, each once, in their order.
  func formats(of roles: [Role]) -> [String] {
    roles.map { choice(for: $0).formatID }.reduce(into: []) { list, id in
      if !list.contains(id) { list.append(id) }
    }
  }
}

extension QuantizationChoice {
  /// The format's id, without what else decides codes.
  var formatID: String {
    switch self {
    case .float32: "fp32"
    case .bfloat16: "bf16"
    case .block(let quantization): quantization.format.id
    }
  }
}
