import BlockFormats

extension BlockLayout {
  /// What is stored besides the codes of the elements in one text, such as `e4m3fn + fp32 tensor`;
  /// `-` for nothing.
  var scaleText: String {
    let others = fields.dropFirst()
    guard !others.isEmpty else { return "-" }
    let (factors, offsets) = (
      others.filter { $0.role != .offset }, others.filter { $0.role == .offset }
    )
    // Offsets are often stored as the factors are.
    if Self.text(of: offsets) == Self.text(of: factors) {
      let text = Self.text(of: factors)
      return "2 x " + (factors.count == 1 ? text : "(\(text))")
    }
    return Self.text(of: factors) + (offsets.isEmpty ? "" : " + offsets " + Self.text(of: offsets))
  }

  /// Fields one after the other; of several that differ in their lengths alone, the lengths, and of two
  /// levels of opaque numbers in one element their count.
  private static func text(of fields: [StoredField]) -> String {
    var parts: [String] = []
    for (index, field) in fields.enumerated() {
      if index > 0, field.element == fields[index - 1].element,
        case .every(let length) = field.extent,
        case .every = fields[index - 1].extent
      {
        parts[parts.count - 1] += ", \(length)"
      } else if index > 0, field.role == .opaque, fields[index - 1].role == .opaque,
        field.element == fields[index - 1].element
      {
        parts[parts.count - 1] = "2 x \(field.element.name)"
      } else {
        parts.append(field.text)
      }
    }
    return parts.joined(separator: " + ")
  }
}

extension StoredField {
  fileprivate var text: String {
    switch extent {
    case .everyElement, .perBlock(1): element.name
    case .perBlock(let count): "\(count) \(element.name)"
    case .every(let length): "\(element.name)/\(length)"
    case .perTensor: "\(element.name) tensor"
    }
  }
}
