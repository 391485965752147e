import BlockFormats

extension Recipe {
  /// MXFP4 in all three products, with what makes it train.
  ///
  /// Forward, both operands are rotated by 32-point Hadamard matrices and rounded to nearest, with
  /// scales that aim at the least squared error. Backward, operands are rotated with new random
  /// signs every step, scaled so that nothing clips, and rounded stochastically.
  ///
  /// Quartet's backward scale, 4/3 · 2^(floor(log2 amax) - emax), maps amax to [3, 6). That is a
  /// power of two for values multiplied by 3/4: the smallest that does not clip, unless amax is
  /// itself a power of two, which maps to 6 here and to 3 there.
  ///
  /// Source: Castro et al., "Quartet: native FP4 training can be optimal for large language
  /// models", arXiv 2505.14669, and its published code.
  public static let quartet: Recipe = {
    var forward = SharedExponentFormat.mxfp4.defaultPolicy
    forward.scaleRule = .search(around: .floor)
    var backward = SharedExponentFormat.mxfp4.defaultPolicy
    backward.scaleRule = .powerOfTwo(.rceil)
    return Recipe(
      name: "quartet", source: "Quartet, arXiv 2505.14669",
      notes: [
        "forward scales are the best of three powers of two by squared error; Quartet takes a "
          + "fixed multiple of each block's standard deviation, chosen for the same purpose",
        "backward scales differ where a block's largest magnitude is a power of two",
        "gradients pass clipped values unmasked; Quartet masks them",
        "backward products quantize inputs and weights afresh from FP32; Quartet starts from the "
          + "rotated and quantized ones of its forward pass",
      ],
      rules: wide + [
        narrow(
          BlockQuantization(
            .mxfp4, policy: forward, transform: OperandTransform(length: 32, signs: .positive)),
          in: [.forward]),
        narrow(
          BlockQuantization(
            .mxfp4, policy: backward, stochasticBitCount: 32,
            transform: OperandTransform(length: 32, signs: .perStep), premultiplier: 0.75),
          in: [.inputGradient, .weightGradient]),
      ])
  }()
}
