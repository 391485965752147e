internal import CTrainingKernels

/// Initial step sizes Δ of scans: spread evenly in their logarithm, from 0.001 to 0.1.
///
/// Source: Gu and Dao, "Mamba", arXiv 2312.00752, section 3.6.
enum StepSizes {
  /// Biases b with softplus(b) = Δ.
  ///
  /// The kernels' functions take part, and no system's library.
  ///
  /// - Parameter places: where Δ lies, -1 at 0.001 and 1 at 0.1.
  static func biases(at places: [Float]) -> [Float] {
    let kernels = TrainingKernels.best
    // log(0.01) and log(10).
    let sizes = kernels.apply(BK_EXP, to: places.map { -4.6051702 + $0 * 2.3025851 })
    // log(exp(Δ) - 1) = Δ + log(1 - exp(-Δ)), where a series keeps what a difference would cancel:
    // terms that are left out are below 2^-30 of the sum.
    let rests = sizes.map { size in
      size * (1 - size * (1 / 2 - size * (1 / 6 - size * (1 / 24 - size * (1 / 120 - size / 720)))))
    }
    return zip(sizes, kernels.apply(BK_LOG, to: rests)).map { $0 + $1 }
  }
}
