/// NormalFloat of four bits: sixteen values at quantiles of the normal distribution.
///
/// Blocks are runs of the flattened tensor, as bitsandbytes has them. A value exactly between two
/// neighbours, as FP32 has their midpoint, gets the lower one.
///
/// Source: Dettmers et al., "QLoRA", NeurIPS 2023; values of bitsandbytes 0.50.
extension BlockFormat where Self == AbsmaxFormat {
  /// NF4 with runs of 64.
  public static var nf4: Self { .nf4(block: 64) }

  /// NF4.
  ///
  /// - Parameter block: the elements of a run.
  public static func nf4(block: Int) -> Self {
    AbsmaxFormat(
      id: block == 64 ? "nf4" : "nf4(block=\(block))", source: "QLoRA (NeurIPS 2023), bitsandbytes",
      element: .nf4, block: .run(length: block),
      // No producer begins a block in the middle of a byte.
      packings: block % 2 == 0 ? [.bitsandbytes(block: block, padding: 7)] : [])
  }
}

extension BlockPacking {
  /// Two codes a byte, the first one in the high half; scales by themselves.
  ///
  /// An odd tensor ends with the code of zero, the padding.
  static func bitsandbytes(block: Int, padding: UInt32) -> BlockPacking {
    BlockPacking(
      "bitsandbytes",
      streams: [("weight", byteCount: block / 2), ("absmax", byteCount: 4)],
      padding: padding
    ) { field, index, bit in
      field == 0
        ? .init(stream: 0, bit: 8 * (index / 2) + (index % 2 == 0 ? 4 : 0) + bit)
        : .init(stream: 1, bit: bit)
    }
  }
}

extension FormatFamily {
  static let nf4: [FormatFamily] = [
    FormatFamily("nf4", parameters: ["block=64"]) { arguments throws(FormatNameError) in
      AbsmaxFormat.nf4(block: try arguments.block(default: 64))
    }
  ]
}
