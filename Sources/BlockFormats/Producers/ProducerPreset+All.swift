/// The producers' presets.
///
/// Those of torchao (floor, rceil, nvfp4), ModelOpt, compressed-tensors, MLX, Quark, ggml, DeepSeek's layout,
/// gpt-oss and bitsandbytes were compared with files that the producers wrote (`Tests/Vectors/producers`, and
/// `Benchmarks/peers/dialects.py` for what is larger); their kin of other widths, TransformerEngine and
/// microxcaling follow from the same arithmetic, which vectors of other formats have.
extension ProducerPreset {
  /// Every preset, by producer.
  public static let all: [ProducerPreset] =
    torchao + modelOpt + compressedTensors + mlx + quark + ggml + others

  private static let nvfp4Alone = TwoLevelFormat(
    id: "scaled(element=e2m1fn,block=16,scale=e4m3fn)", source: "composed by the user",
    element: .e2m1fn, block: .vector(length: 16), scale: .e4m3fn, tensorScale: .absent)

  /// torchao 0.18.
  private static let torchao: [ProducerPreset] =
    [PowerOfTwoRule.floor, .ceil, .rceil, .even].flatMap { rule in
      [
        ("mxfp8_e4m3", SharedExponentFormat.mxfp8E4M3), ("mxfp8_e5m2", .mxfp8E5M2),
        ("mxfp6_e2m3", .mxfp6E2M3), ("mxfp6_e3m2", .mxfp6E3M2), ("mxfp4", .mxfp4),
      ].map { name, format in
        ProducerPreset(
          "torchao", "\(name)_\(rule.id)", format.with { $0.scaleRule = .powerOfTwo(rule) })
      }
    } + [
      ProducerPreset(
        "torchao", "nvfp4",
        TwoLevelFormat.nvfp4.with {
          ($0.scaleArithmetic, $0.scaleFloor) = (.reciprocal, .leastNormal)
        })
    ]

  /// NVIDIA's ModelOpt 0.47.
  private static let modelOpt = [
    ProducerPreset(
      "modelopt", "mxfp4",
      SharedExponentFormat.mxfp4.with {
        $0.scaleRule = .powerOfTwo(.rceil)
        ($0.rounding, $0.zeroSign) = (.toNearestOrTowardZero, .negativeForZero)
      }),
    ProducerPreset(
      "modelopt", "mxfp8",
      SharedExponentFormat.mxfp8E4M3.with { $0.scaleRule = .powerOfTwo(.rceil) }),
    ProducerPreset(
      "modelopt", "nvfp4",
      TwoLevelFormat.nvfp4.with {
        ($0.scaleArithmetic, $0.scaleFloor) = (.divide, .leastNonzero)
        ($0.zeroBlock, $0.zeroSign) = (.one, .keptUnlessZero)
      }),
    ProducerPreset(
      "modelopt", "fp8",
      ScaledFormat.fp8(.e4m3fn, block: .tensor).with { $0.scaleArithmetic = .divide }),
  ]

  /// compressed-tensors 0.20, as llm-compressor writes it.
  private static let compressedTensors =
    [
      ProducerPreset(
        "compressed-tensors", "nvfp4",
        TwoLevelFormat.nvfp4.with {
          ($0.scaleArithmetic, $0.scaleFloor) = (.quotient, .eighthForZero)
          $0.zeroSign = .keptUnlessZero
        }),
      ProducerPreset(
        "compressed-tensors", "mxfp4",
        SharedExponentFormat.mxfp4.with {
          $0.scaleRule = .powerOfTwo(.even)
          $0.zeroSign = .keptUnlessZero
        }),
      ProducerPreset(
        "compressed-tensors", "mxfp8",
        SharedExponentFormat.mxfp8E4M3.with { $0.scaleRule = .powerOfTwo(.evenE2M1) }),
      ProducerPreset(
        "compressed-tensors", "mxfp6",
        SharedExponentFormat.mxfp6E2M3.with { $0.scaleRule = .powerOfTwo(.even) }),
    ]
    + [
      ("fp8", BlockShape.tensor), ("fp8_channel", .row),
      ("fp8_block", .tile(rows: 128, columns: 128)),
    ].map { name, block in
      ProducerPreset(
        "compressed-tensors", name,
        ScaledFormat.fp8(.e4m3fn, block: block).with { $0.scaleArithmetic = .divide })
    }
    + [(4, 32), (4, 128), (8, 32), (8, 128)].map { bits, length in
      ProducerPreset(
        "compressed-tensors", "w\(bits)a16_g\(length)",
        ScaledFormat(
          id: "scaled(element=int\(bits)_full,block=\(length),scale=fp32)",
          source: "composed by the user",
          element: .integer("int\(bits)_full", bitCount: bits, range: .full),
          block: .vector(length: length)
        ).with { ($0.scaleRule, $0.scaleArithmetic) = (.amaxHalfStep, .divide) })
    }

  /// MLX 0.32.4 on the CPU; its code for GPUs rounds ties to even and keeps the sign of zeros.
  private static let mlx =
    [
      ProducerPreset(
        "mlx", "mxfp4",
        SharedExponentFormat.mxfp4.with {
          ($0.scaleRule, $0.zeroBlock) = (.powerOfTwo(.rceil), .one)
          ($0.rounding, $0.zeroSign) = (.toNearestOrTowardZero, .positive)
        }),
      ProducerPreset(
        "mlx", "mxfp8",
        SharedExponentFormat.mxfp8E4M3.with {
          ($0.scaleRule, $0.zeroBlock) = (.powerOfTwo(.rceil), .one)
        }),
      ProducerPreset(
        "mlx", "nvfp4",
        nvfp4Alone.with {
          ($0.rounding, $0.zeroSign) = (.toNearestOrTowardZero, .positive)
          $0.scaleArithmetic = .divide
        }),
      ProducerPreset(
        "mlx", "nvfp4_global",
        TwoLevelFormat.nvfp4.with {
          ($0.rounding, $0.zeroSign) = (.toNearestOrTowardZero, .positive)
          $0.scaleArithmetic = .divide
        }),
    ]
    + [2, 3, 4, 5, 6, 8].map { bits in
      ProducerPreset("mlx", "affine\(bits)", AffineFormat.affine(bits: bits))
    }

  /// AMD Quark 0.13.
  private static let quark = [
    ("mxfp4", SharedExponentFormat.mxfp4), ("mxfp6_e2m3", .mxfp6E2M3),
    ("mxfp6_e3m2", .mxfp6E3M2),
  ].map { name, format in
    ProducerPreset(
      "quark", name,
      format.with { ($0.scaleRule, $0.zeroSign) = (.powerOfTwo(.even), .positive) })
  }

  /// ggml 0.25.3, whose other types are formats of their own.
  private static let ggml = [
    ProducerPreset(
      "ggml", "mxfp4",
      SharedExponentFormat.mxfp4.with {
        ($0.rounding, $0.zeroSign) = (.toNearestOrTowardZero, .positive)
      }),
    ProducerPreset("ggml", "nvfp4", GGMLNVFP4Format.nvfp4GGML),
  ]

  private static let others = [
    ProducerPreset(
      "deepseek", "fp8",
      ScaledFormat.fp8(.e4m3fn, block: .tile(rows: 128, columns: 128)).with {
        $0.scaleArithmetic = .divide
      }),
    ProducerPreset("gpt-oss", "mxfp4", SharedExponentFormat.mxfp4),
    ProducerPreset("bitsandbytes", "nf4", AbsmaxFormat.nf4),
    ProducerPreset("transformer-engine", "nvfp4", TwoLevelFormat.nvfp4),
    ProducerPreset(
      "transformer-engine", "mxfp8",
      SharedExponentFormat.mxfp8E4M3.with { $0.scaleRule = .powerOfTwo(.rceil) }),
    ProducerPreset(
      "microxcaling", "mxfp4",
      SharedExponentFormat.mxfp4.with { $0.rounding = .toNearestOrAway }),
  ]
}
