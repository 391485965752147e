extension ElementFormat {
  /// The values of NF4; code 0 is -1, 7 is 0, 15 is 1.
  ///
  /// Source: Dettmers et al., "QLoRA", NeurIPS 2023; bits and thresholds of bitsandbytes 0.50.
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

extension ElementFormat {
  /// The values of IQ4_NL, integers from -127 to 113; code 8 is 1, and none is 0.
  ///
  /// Source: ggml, `kvalues_iq4nl`.
  public static let iq4_nl = ElementFormat(
    name: "iq4_nl",
    table: ValueTable(
      [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]))
}
