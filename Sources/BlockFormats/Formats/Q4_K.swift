extension BlockFormat where Self == Q4_KFormat {
  /// ggml's Q4_K.
  public static var q4_k: Self { Q4_KFormat() }
}

extension FormatFamily {
  static let q4_k: [FormatFamily] = [FormatFamily("q4_k") { _ in Q4_KFormat() }]
}
