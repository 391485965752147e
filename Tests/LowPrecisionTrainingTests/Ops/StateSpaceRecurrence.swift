import Foundation

@testable import LowPrecisionTraining

/// The scan of Mamba-2 as its plain recurrence in double precision.
struct StateSpaceRecurrence {
  let heads: StateSpaceHeads
  let sequences: Int
  let steps: Int

  var rowCount: Int { sequences * steps }

  /// - Parameters:
  ///   - magnitudes: whether all terms count as positive.
  ///   - strength: what exponents of decays are multiplied by.
  func result(
    x: [Double], dt: [Double], a: [Double], b: [Double], c: [Double], d: [Double],
    magnitudes: Bool = false, strength: Double = 1
  ) -> [Double] {
    let (h, p, n, maps) = (heads.count, heads.size, heads.stateCount, heads.mapCount)
    func part(_ number: Double) -> Double { magnitudes ? abs(number) : number }
    var y = [Double](repeating: 0, count: x.count)
    for head in 0..<h {
      let map = head / (h / heads.groupCount) * n
      let rate = -exp(a[head]) * strength
      for sequence in 0..<sequences {
        var state = [Double](repeating: 0, count: p * n)
        for row in sequence * steps..<(sequence + 1) * steps {
          let step = dt[row * h + head]
          let decay = exp(rate * step)
          for i in 0..<p {
            let number = part(x[(row * h + head) * p + i])
            var sum = part(d[head]) * number
            for j in 0..<n {
              let new = state[i * n + j] * decay + step * number * part(b[row * maps + map + j])
              state[i * n + j] = new
              sum += new * part(c[row * maps + map + j])
            }
            y[(row * h + head) * p + i] = sum
          }
        }
      }
    }
    return y
  }

  /// What every result of the chunked form may be off by.
  ///
  /// u = 2^-24 is half an ulp, and 1.1 ulp of an exponential at most 2.2 u. A term of a result is
  /// C · B times decays times Δ x:
  ///
  /// - C · B and the sum with C over a state are chains of N roundings each, the sums over a chunk
  ///   chains of Q; the state goes through as many chunks, each with a chain of Q, a decay, its
  ///   product and 2.2 u. Six more products are rounded.
  /// - A is off by 2.2 u, exponents e of decays by 3 u more: e^-|e| moves by 5.2 u |e| e^-|e|, which is
  ///   less than 4 u exp(-|e| / 2) as v exp(-v / 2) ≤ 2 / e < 0.74.
  ///
  /// So magnitudes add up with decays of half the exponent. What is squared in u is less than another
  /// rounding per thousand.
  func bounds(
    x: [Double], dt: [Double], a: [Double], b: [Double], c: [Double], d: [Double]
  ) -> [Double] {
    let chunk = StateSpaceHeads.chunk
    let chunks = Double((steps + chunk - 1) / chunk)
    let roundings =
      2 * Double(heads.stateCount) + Double(chunk) + chunks * (Double(chunk) + 1 + 2.2) + 6 + 4
    return result(x: x, dt: dt, a: a, b: b, c: c, d: d, magnitudes: true, strength: 0.5)
      .map { 1.001 * roundings * 0x1p-24 * $0 + 1e-36 }
  }
}
