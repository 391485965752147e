/// NormalFloat of four bits: sixteen values at quantiles of the normal distribution.
///
/// Blocks are runs of the flattened tensor, as bitsandbytes has them. A value exactly between two
/// neighbours, as FP32 has their midpoint, gets the lower one.
///
/// Source: Dettmers et al., "QLoRA", NeurIPS 2023; values of bitsandbytes 0.50.
extension ElementFormat {
  /// The values of NF4; code 0 is -1, 7 is 0, 15 is 1.
  public static let nf4: ElementFormat = {
    let patterns: [UInt32] = [
      0xBF80_0000, 0xBF32_39B1, 0xBF06_6B30, 0xBECA_32A0, 0xBE91_A24D, 0xBE3D_353F, 0xBDBA_7871,
      0x0000_0000, 0x3DA2_FAFF, 0x3E24_CAE3, 0x3E7C_04DD, 0x3EAD_033A, 0x3EE1_A4B8, 0x3F10_07AB,
      0x3F39_13B3, 0x3F80_0000,
    ]
    let values = patterns.map(Float.init(bitPattern:))
    // The midpoints in FP32, of which nine are rounded.
    let thresholds = zip(values, values.dropFirst()).map { Double(($0 + $1) / 2) }
    return ElementFormat(
      name: "nf4", table: ValueTable(values.map(Double.init), thresholds: thresholds))
  }()
}

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
      packings: block % 2 == 0 ? [.bitsandbytes(block: block)] : [])
  }
}

extension BlockPacking {
  /// Two codes a byte, the first one in the high half; scales by themselves.
  fileprivate static func bitsandbytes(block: Int) -> BlockPacking {
    BlockPacking(
      "bitsandbytes",
      streams: [("weight", byteCount: block / 2), ("absmax", byteCount: 4)],
      // An odd tensor ends with the code of zero.
      padding: 7
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
