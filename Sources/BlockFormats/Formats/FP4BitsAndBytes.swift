/// FP4 of bitsandbytes: sixteen values between -1 and 1, which are not those of E2M1.
///
/// Blocks are runs of the flattened tensor. A value exactly between two neighbours, as FP32 has their
/// midpoint, gets the lower one; see `ElementFormat.fp4BitsAndBytes` for the two codes of zero.
///
/// Source: bitsandbytes 0.50, `quant_type="fp4"`.
extension BlockFormat where Self == AbsmaxFormat {
  /// FP4 of bitsandbytes with runs of 64.
  public static var fp4BitsAndBytes: Self { .fp4BitsAndBytes(block: 64) }

  /// FP4 of bitsandbytes.
  ///
  /// - Parameter block: the elements of a run.
  public static func fp4BitsAndBytes(block: Int) -> Self {
    AbsmaxFormat(
      id: block == 64 ? "fp4_bnb" : "fp4_bnb(block=\(block))", source: "bitsandbytes",
      element: .fp4BitsAndBytes, block: .run(length: block),
      // No producer begins a block in the middle of a byte.
      packings: block % 2 == 0 ? [.bitsandbytes(block: block, padding: 0)] : [])
  }
}

extension FormatFamily {
  static let fp4BitsAndBytes: [FormatFamily] = [
    FormatFamily("fp4_bnb", parameters: ["block=64"]) { arguments throws(FormatNameError) in
      AbsmaxFormat.fp4BitsAndBytes(block: try arguments.block(default: 64))
    }
  ]
}
