extension BlockFormat where Self == Q5_0Format {
  /// ggml's Q5_0.
  public static var q5_0: Self { Q5_0Format() }
}

extension FormatFamily {
  static let q5_0: [FormatFamily] = [FormatFamily("q5_0") { _ in Q5_0Format() }]
}
