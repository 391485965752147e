/// FP8 elements with power-of-two scales in E8M0, for each 1x128 or 128x128 block: DeepSeek-V3.1 and later.
///
/// The default scale rule is `rceil`, the smallest power of two under which nothing clips; DeepSeek's
/// kernels divide by 448 where the rule multiplies by its reciprocal, which gives the same exponents. They
/// also take a block of amax below 10^-4 for one of 10^-4, which this format does not.
///
/// Files hold the scales as `F8_E8M0` and call them `scale_inv`; they multiply.
///
/// Source: DeepSeek-V3.1 model files with `"scale_fmt": "ue8m0"`; DeepGEMM for the arithmetic.
extension BlockFormat where Self == SharedExponentFormat {
  /// E4M3 with an E8M0 scale for each 128x128 block, as weights are stored.
  public static var fp8E4M3TilesUE8M0: Self { .fp8UE8M0(block: .tile(rows: 128, columns: 128)) }
  /// E4M3 with an E8M0 scale for each 128 elements of a row, as activations are quantized.
  public static var fp8E4M3VectorsUE8M0: Self { .fp8UE8M0(block: .vector(length: 128)) }

  private static func fp8UE8M0(block: BlockShape) -> Self {
    let shape = if case .vector(let length) = block { "1x\(length)" } else { block.id }
    return SharedExponentFormat(
      id: "fp8_e4m3_\(shape)_ue8m0", source: "DeepSeek-V3.1, DeepGEMM", element: .e4m3fn,
      block: block
    ).with { $0.scaleRule = .powerOfTwo(.rceil) }
  }
}

extension FormatFamily {
  static let scaledFP8UE8M0: [FormatFamily] = [
    FormatFamily("fp8_e4m3_1x128_ue8m0") { _ in SharedExponentFormat.fp8E4M3VectorsUE8M0 },
    FormatFamily("fp8_e4m3_128x128_ue8m0") { _ in SharedExponentFormat.fp8E4M3TilesUE8M0 },
  ]
}
