import BlockFormats

/// The formats of the MX paper on every operand of every product, each quantized along its
/// contraction axis: floor scales, blocks of 32, and the rounding of its generative training runs,
/// to nearest with ties away from zero. The presets ending in `_ties_even` round ties to even,
/// as its direct-cast and fine-tuning runs do.
///
/// Source: Rouhani et al., "Microscaling data formats for deep learning", arXiv 2310.10537, and
/// microxcaling.
extension Recipe {
  /// Every operand in one MX format.
  ///
  /// - Parameters:
  ///   - format: for weights, and for inputs and gradients if they have none of their own.
  ///   - others: for inputs and gradients.
  ///   - rounding: to nearest, with one tie rule or the other.
  static func microscaling(
    _ name: String, _ format: SharedExponentFormat, others: SharedExponentFormat? = nil,
    rounding: RoundingRule
  ) -> Recipe {
    func quantization(_ format: SharedExponentFormat) -> BlockQuantization {
      var policy = format.defaultPolicy
      policy.rounding = rounding
      return BlockQuantization(format, policy: policy)
    }
    var rules = wide + [narrow(quantization(format))]
    if let others { rules.append(narrow(quantization(others), [.input, .outputGradient])) }
    return Recipe(
      name: rounding == .toNearestOrEven ? name + "_ties_even" : name,
      source: "MX paper, arXiv 2310.10537",
      notes: [
        "operands are quantized from FP32; the paper rounds them to BF16 first",
        "the head and the router are BF16; the paper does not say what it did with them",
      ], rules: rules)
  }

  /// The presets of the MX paper: as trained, then with ties to even.
  static let microscaling: [Recipe] =
    [RoundingRule.toNearestOrAway, .toNearestOrEven].flatMap { rounding in
      [
        microscaling("mxfp8", .mxfp8E4M3, rounding: rounding),
        microscaling("mxfp6_e3m2", .mxfp6E3M2, rounding: rounding),
        microscaling("mxfp6_e2m3", .mxfp6E2M3, rounding: rounding),
        microscaling("mxfp4_w_mxfp6_ag", .mxfp4, others: .mxfp6E3M2, rounding: rounding),
        microscaling("mxint8", .mxint8, rounding: rounding),
      ]
    }

  /// MXFP4 on every operand without any further ingredient: OCP's floor scales, ties to even.
  ///
  /// Source: OCP Microscaling Formats v1.0, section 6.3.
  public static let mxfp4 = Recipe(
    name: "mxfp4", source: "OCP Microscaling Formats v1.0",
    rules: wide + [narrow(BlockQuantization(.mxfp4))])

  /// Shared microexponents and Microsoft floating point on every operand, to nearest even.
  ///
  /// Sources: Rouhani et al., ISCA 2023 (arXiv 2302.08007); Rouhani et al., NeurIPS 2020.
  static let blockFloatingPoint: [Recipe] = [
    ("mx9", .mx9), ("mx6", .mx6), ("mx4", .mx4), ("msfp16", .msfp16),
  ].map { (name: String, format: SharedExponentFormat) in
    Recipe(
      name: name, source: format.source,
      notes: ["the paper leaves the rounding open: to nearest, ties to even"],
      rules: wide + [narrow(BlockQuantization(format))])
  }
}
