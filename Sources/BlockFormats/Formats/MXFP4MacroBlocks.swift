extension BlockFormat where Self == MacroBlockFormat {
  /// MXFP4 in blocks of 16 under `oas`, with a second scale for each 128.
  public static var mxfp4MacroBlocks: Self { MacroBlockFormat() }
}

extension FormatFamily {
  static let mxfp4MacroBlocks: [FormatFamily] = [
    FormatFamily("mxfp4_oas_mbs") { _ in MacroBlockFormat() }
  ]
}
