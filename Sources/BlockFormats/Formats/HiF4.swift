extension BlockFormat where Self == HiF4Format {
  /// HiFloat4.
  public static var hif4: Self { HiF4Format() }
}

extension FormatFamily {
  static let hif4: [FormatFamily] = [FormatFamily("hif4") { _ in HiF4Format() }]
}
