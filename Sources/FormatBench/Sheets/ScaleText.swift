import BlockFormats

extension BlockLayout {
  /// The scales in one text, such as `e4m3fn + fp32 tensor`; `-` for none.
  var scaleText: String {
    guard let scale else { return "-" }
    var text = scale.name
    if let subscale {
      text += " + \(subscale.bitWidth)-bit shift per \(subscale.length)"
    }
    if tensorScale != .absent { text += " + fp32 tensor" }
    return text
  }
}
