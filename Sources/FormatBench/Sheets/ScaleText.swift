import BlockFormats

extension BlockLayout {
  /// What is stored besides the codes of the elements in one text, such as `e4m3fn + fp32 tensor`;
  /// `-` for nothing.
  var scaleText: String {
    let others = fields.dropFirst()
    guard !others.isEmpty else { return "-" }
    let offsets = others.filter { $0.role == .offset }
    let rest = others.filter { $0.role != .offset }
    // Offsets are often stored as the factors are.
    let areTwins = offsets.map(\.text) == rest.map(\.text)
    return areTwins
      ? rest.map(\.text).joined(separator: " + ") + ", and offsets"
      : others.map { $0.text + ($0.role == .offset ? " offset" : "") }.joined(separator: " + ")
  }
}

extension StoredField {
  fileprivate var text: String {
    switch extent {
    case .everyElement, .perBlock(1): element.name
    case .perBlock(let count): "\(count) \(element.name)"
    case .every(let length): "\(element.name) per \(length)"
    case .perTensor: "\(element.name) tensor"
    }
  }
}
