/// NF4 with double quantization: the maxima of its runs are stored in eight bits, 256 of them below an
/// FP32 maximum of their own and around a mean that the tensor stores.
///
/// 4.127 bits an element instead of NF4's 4.5. Decoding is bitsandbytes' to the last bit; encoding claims
/// its codes of elements, but not the bytes above them.
///
/// Source: QLoRA (NeurIPS 2023); bitsandbytes with `bnb_4bit_use_double_quant`.
extension BlockFormat where Self == NestedAbsmaxFormat {
  /// NF4 with double quantization.
  public static var nf4Double: Self {
    NestedAbsmaxFormat(
      id: "nf4_double", source: "QLoRA (NeurIPS 2023), bitsandbytes", element: .nf4)
  }
}

extension FormatFamily {
  static let nf4Double: [FormatFamily] = [
    FormatFamily("nf4_double") { _ in NestedAbsmaxFormat.nf4Double }
  ]
}
