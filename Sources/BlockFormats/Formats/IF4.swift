extension BlockFormat where Self == IF4Format {
  /// IF4 with blocks of 16.
  public static var if4: Self { IF4Format() }
}

extension FormatFamily {
  static let if4: [FormatFamily] = [
    FormatFamily("if4", parameters: ["block=16"]) { arguments throws(FormatNameError) in
      IF4Format(block: try arguments.block(default: 16))
    }
  ]
}
