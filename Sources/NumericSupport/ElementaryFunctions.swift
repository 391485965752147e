// Functions with the same bits everywhere: those of C libraries differ in the last one. These use basic
// operations of IEEE 754 only. They make samples of distributions, where three ulps of Double are far
// below what rounding to Float can show.

/// Returns ln x for a finite, normal x > 0, to within 3 ulps.
///
/// x = 2^k m with m in √½...√2, then ln m = 2 artanh s, s = (m - 1) / (m + 1), |s| ≤ 0.1716. The series
/// Σ s^(2j) / (2j + 1) is cut after j = 10; the rest is below 2^-60 of it.
package func naturalLogarithm(_ x: Double) -> Double {
  var m = x.significand
  var k = Double(x.exponent)
  if m > 1.414_213_562_373_095_1 {
    m /= 2
    k += 1
  }
  let s = (m - 1) / (m + 1)
  let z = s * s
  var series = 1.0 / 21
  series = series * z + 1.0 / 19
  series = series * z + 1.0 / 17
  series = series * z + 1.0 / 15
  series = series * z + 1.0 / 13
  series = series * z + 1.0 / 11
  series = series * z + 1.0 / 9
  series = series * z + 1.0 / 7
  series = series * z + 1.0 / 5
  series = series * z + 1.0 / 3
  // ln 2 in two parts: the first ends in 21 zero bits, so that k times it is exact.
  let high = k * 0x1.62e42fee00000p-1
  let low = k * 0x1.a39ef35793c76p-33
  return high + (2 * s + (2 * s * z * series + low))
}

/// Returns e^x for |x| ≤ 700, to within 3 ulps.
///
/// x = k ln 2 + r with |r| ≤ 0.3466; Taylor's series in r is cut after r^13, the rest is below 2^-57.
package func exponential(_ x: Double) -> Double {
  let k = (x * 1.442_695_040_888_963_4).rounded()
  let r = (x - k * 0x1.62e42fee00000p-1) - k * 0x1.a39ef35793c76p-33
  var series = 1.0 / 6_227_020_800
  series = series * r + 1.0 / 479_001_600
  series = series * r + 1.0 / 39_916_800
  series = series * r + 1.0 / 3_628_800
  series = series * r + 1.0 / 362_880
  series = series * r + 1.0 / 40_320
  series = series * r + 1.0 / 5040
  series = series * r + 1.0 / 720
  series = series * r + 1.0 / 120
  series = series * r + 1.0 / 24
  series = series * r + 1.0 / 6
  series = series * r + 1.0 / 2
  series = (series * r + 1) * r + 1
  return series * Double(sign: .plus, exponent: Int(k), significand: 1)
}

/// Returns the number below which a standard normal variable lies with probability p, 0 < p < 1.
///
/// Relative error about 10^-16.
///
/// Source: M. J. Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution",
/// Applied Statistics 37 (1988), routine PPND16; the coefficients are his.
package func standardNormalQuantile(_ p: Double) -> Double {
  let q = p - 0.5
  if q.magnitude <= 0.425 {
    let r = 0.180625 - q * q
    return q * polynomial(r, centralNumerator) / polynomial(r, centralDenominator)
  }
  let r = (-naturalLogarithm(q < 0 ? p : 1 - p)).squareRoot()
  let magnitude =
    r <= 5
    ? polynomial(r - 1.6, middleNumerator) / polynomial(r - 1.6, middleDenominator)
    : polynomial(r - 5, tailNumerator) / polynomial(r - 5, tailDenominator)
  return q < 0 ? -magnitude : magnitude
}

/// Returns Σ c_j x^j by Horner's rule.
@inline(__always)
private func polynomial(_ x: Double, _ c: PolynomialCoefficients) -> Double {
  ((((((c.7 * x + c.6) * x + c.5) * x + c.4) * x + c.3) * x + c.2) * x + c.1) * x + c.0
}

private typealias PolynomialCoefficients = (
  Double, Double, Double, Double, Double, Double, Double, Double
)

private let centralNumerator: PolynomialCoefficients = (
  3.3871328727963666080, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
  4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3
)
private let centralDenominator: PolynomialCoefficients = (
  1, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
  2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3
)
private let middleNumerator: PolynomialCoefficients = (
  1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
  1.27045825245236838258, 2.41780725177450611770e-1, 2.27238449892691845833e-2,
  7.74545014278341407640e-4
)
private let middleDenominator: PolynomialCoefficients = (
  1, 2.05319162663775882187, 1.67638483018380384940, 6.89767334985100004550e-1,
  1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
  1.05075007164441684324e-9
)
private let tailNumerator: PolynomialCoefficients = (
  6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 2.96560571828504891230e-1,
  2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5,
  2.01033439929228813265e-7
)
private let tailDenominator: PolynomialCoefficients = (
  1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
  7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
  2.04426310338993978564e-15
)
