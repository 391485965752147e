/// A built-in source of test data: a distribution from which vectors are drawn.
///
/// A sample is a matrix [vectors, length] of Floats. Element number i in row-major order is a function
/// of the seed and i (and, where said, of its row or column), so a sample does not depend on the
/// number of threads, and a matrix of more vectors begins with the smaller one of the same seed.
///
/// Random numbers: block(i, d, s) is the `Philox4x32` block of the key (low, high half of the seed)
/// and the counter (low half of i, high half of i, d, s). Its words give two uniform numbers
/// u = (k + 1/2) / 2^52 in the open interval (0, 1), k being the upper 52 bits of the 64-bit number
/// whose low and high halves are words 0 and 1 for U(i, d, s), words 2 and 3 for V(i, d, s). A standard
/// normal number is Φ⁻¹(u) by Wichura's algorithm AS 241 (relative error about 10^-16), so its
/// magnitude is at most 8.21.
///
/// Everything is computed in Double from +, -, *, / and square root, with this module's own logarithm
/// and exponential, and rounded once to Float: a sample is the same bits on every platform.
public enum Distribution: Hashable, Sendable {
  /// The experiment of the BDR paper: normal vectors of random variance.
  ///
  /// x = σ_v · Φ⁻¹(U(i, 0, 0)) with σ_v = |Φ⁻¹(U(v, 0, 1))| for row v.
  case bdr

  /// Uniform in (-1, 1): x = 2 U(i, 0, 0) - 1; variance 1/3.
  ///
  /// Rounding to Float may reach the end points.
  case uniform

  /// Standard normal: x = Φ⁻¹(U(i, 0, 0)).
  case normal

  /// Laplace with density exp(-|x|) / 2 and variance 2.
  ///
  /// With u = U(i, 0, 0): x = ln(2u) for u < 1/2, else -ln(2(1 - u)).
  case laplace

  /// Student's t with ν = `degreesOfFreedom`, 1 through 1000; variance ν / (ν - 2) for ν > 2.
  ///
  /// x = z_0 / √((z_1² + ... + z_ν²) / ν), summed in this order, where z_2d = Φ⁻¹(U(i, d, 0)) and
  /// z_2d+1 = Φ⁻¹(V(i, d, 0)).
  case studentT(degreesOfFreedom: Int)

  /// Log-normal magnitude with a random sign; `sigma` is finite, positive and at most 8.
  ///
  /// x = ±exp(sigma · Φ⁻¹(U(i, 0, 0))), negative for V(i, 0, 0) < 1/2; E|x| = exp(sigma² / 2).
  case logNormal(sigma: Double)

  /// Standard normal, but in some channels scaled up: the outlier features of language models.
  ///
  /// A channel is a column. x = Φ⁻¹(U(i, 0, 0)), times `scale` in the outlier channels. Of these there
  /// are `fraction` · length, rounded to nearest with ties away from zero: the columns c with the
  /// smallest U(c, 0, 2), the lower column first among equals. They are the same in every row.
  /// `fraction` is in 0...1, `scale` finite and positive.
  case outlierChannels(fraction: Double, scale: Double)

  /// One distribution of every kind, with the parameters it has when named without any.
  public static let allNamed: [Distribution] = [
    .bdr, .uniform, .normal, .laplace, .studentT(degreesOfFreedom: 5), .logNormal(sigma: 1),
    .outlierChannels(fraction: 1.0 / 64, scale: 30),
  ]

  /// Whether the parameters are in the ranges that the cases state.
  var isValid: Bool {
    switch self {
    case .bdr, .uniform, .normal, .laplace: true
    case .studentT(let degreesOfFreedom): (1...1000).contains(degreesOfFreedom)
    case .logNormal(let sigma): sigma > 0 && sigma <= 8
    case .outlierChannels(let fraction, let scale):
      (0...1).contains(fraction) && scale > 0 && scale.isFinite
    }
  }
}
