/// Bare element formats without scales: BF16, FP16 and FP32 baselines, FP8 casts, P3109.
extension BlockFormat where Self == CastFormat {
  /// FP32 kept as it is, but for NaN payloads and, unless overflow is `special`, infinities.
  public static var fp32: Self { .cast(to: .fp32) }
  /// Rounding to bfloat16.
  public static var bf16: Self { .cast(to: .bf16) }
  /// Rounding to binary16.
  public static var fp16: Self { .cast(to: .fp16) }

  /// Rounding to any element format.
  public static func cast(to element: ElementFormat) -> Self {
    let source =
      switch element {
      case .fp32, .fp16: "IEEE 754-2019"
      case .bf16, .tf32: "bfloat16 and TF32, as hardware vendors define them"
      case .e4m3fn, .e5m2: "OCP OFP8 v1.0"
      case .e1m2fn: "Ascend CANN, en-dtypes"
      case .e2m1fn, .e2m3fn, .e3m2fn, .e8m0fnu, .mxint8: "OCP Microscaling Formats v1.0"
      case _ where element.name.hasPrefix("binary"): "IEEE P3109 Interim Report v4.0"
      case .e4m3fnuz, .e5m2fnuz, .e4m3b11fnuz, .e4m3, .e3m4: "ml_dtypes and LLVM APFloat"
      case .ue4m3, .ue5m3, .ue5m3(greatest: .reservedTopExponent): "PTX ISA block scales"
      case .hif8: "HiFloat8 (arXiv 2409.16626)"
      case .int8, .int4, .int2: "symmetric integer quantization"
      default: "user-defined"
      }
    let cast = CastFormat(element: element, source: source)
    return element == .hif8 ? cast.with { $0.rounding = .toNearestOrAway } : cast
  }
}

extension FormatFamily {
  static let casts: [FormatFamily] =
    ElementFormat.named.map { element in
      FormatFamily(element.name, role: element == .bf16 ? .standard : .additional) { _ in
        CastFormat.cast(to: element)
      }
    } + [
      FormatFamily(
        "float", parameters: ElementFormat.floatParameters, role: .parametrised
      ) { arguments throws(FormatNameError) in
        CastFormat.cast(to: try ElementFormat.floatingPoint(arguments))
      }
    ]
}
