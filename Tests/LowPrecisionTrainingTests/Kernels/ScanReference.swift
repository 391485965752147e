import FormatTestSupport
import Testing

/// The selective scan of one sequence and its derivatives as CTrainingKernels.h defines them, in
/// double precision, with bounds of what FP32 loses.
struct ScanReference {
  let steps: Int
  let channels: Int
  let states: Int
  /// T x D.
  var u, dt, dy: [Float]
  /// N x D.
  var a, before, dh: [Float]
  /// T x N.
  var b, c: [Float]
  /// D.
  var d: [Float]

  /// Numbers of any step size and rate: products from 2^-30 to 2^8, many of decays that are 1, and
  /// many that are subnormal or 0.
  init(steps: Int, channels: Int, states: Int, seed: UInt64, rates: ClosedRange<Float> = -6...4) {
    var generator = SeededGenerator(seed: seed)
    (self.steps, self.channels, self.states) = (steps, channels, states)
    func powers(_ count: Int, _ range: ClosedRange<Float>) -> [Float] {
      (0..<count).map { _ in
        let power = Float.random(in: range, using: &generator)
        return Float(sign: .plus, exponent: Int(power.rounded()), significand: 1)
          * Float.random(in: 1...2, using: &generator)
      }
    }
    u = generator.numbers(steps * channels)
    dy = generator.numbers(steps * channels)
    before = generator.numbers(states * channels)
    dh = generator.numbers(states * channels)
    b = generator.numbers(steps * states)
    c = generator.numbers(steps * states)
    d = generator.numbers(channels)
    dt = powers(steps * channels, -24...2)
    a = powers(states * channels, rates).map { -$0 }
  }

  struct Results {
    var y, du, ddt: [Bounded]
    var after, dh, da: [Bounded]
    var db, dc: [Bounded]
    var dd: [Bounded]
  }

  func results() -> Results {
    let zero = Bounded(0)
    var results = Results(
      y: [], du: [], ddt: [], after: a.map { _ in zero }, dh: dh.map(Bounded.init),
      da: a.map { _ in zero }, db: [], dc: [], dd: d.map { _ in zero })
    results.y = u.indices.map { Bounded(d[$0 % channels]) * Bounded(u[$0]) }
    let v = u.indices.map { Bounded(dt[$0]) * Bounded(u[$0]) }
    var p = u.map { _ in zero }, s = p
    var bPairs = [[(Bounded, Bounded)]](repeating: [], count: steps * states)
    var cPairs = bPairs
    for channel in 0..<channels {
      for state in 0..<states {
        let place = state * channels + channel
        let rate = Bounded(a[place])
        var h = [Bounded(before[place])], decays: [Bounded] = []
        for t in 0..<steps {
          let (row, map) = (t * channels + channel, t * states + state)
          decays.append(.exp(Bounded(dt[row]) * rate))
          h.append(.fused(decays[t], h[t], v[row] * Bounded(b[map])))
          results.y[row] = .fused(Bounded(c[map]), h[t + 1], results.y[row])
        }
        results.after[place] = h[steps]
        for t in (0..<steps).reversed() {
          let (row, map) = (t * channels + channel, t * states + state)
          let g = Bounded.fused(Bounded(c[map]), Bounded(dy[row]), results.dh[place])
          cPairs[map].append((Bounded(dy[row]), h[t + 1]))
          bPairs[map].append((g, v[row]))
          results.dh[place] = g * decays[t]
          let q = results.dh[place] * h[t]
          results.da[place] = .fused(q, Bounded(dt[row]), results.da[place])
          p[row] = .fused(g, Bounded(b[map]), p[row])
          s[row] = .fused(q, rate, s[row])
        }
      }
    }
    for t in (0..<steps).reversed() {
      for channel in 0..<channels {
        let row = t * channels + channel
        results.dd[channel] = .fused(Bounded(dy[row]), Bounded(u[row]), results.dd[channel])
      }
    }
    results.du = u.indices.map {
      .fused(p[$0], Bounded(dt[$0]), Bounded(d[$0 % channels]) * Bounded(dy[$0]))
    }
    results.ddt = u.indices.map { .fused(p[$0], Bounded(u[$0]), s[$0]) }
    results.db = bPairs.map(Bounded.sumOfProducts)
    results.dc = cPairs.map(Bounded.sumOfProducts)
    return results
  }
}

func expectClose(
  _ values: [Float], _ expected: [Bounded], _ note: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(values.count == expected.count, sourceLocation: sourceLocation)
  expectClose(values, expected.map(\.value), note, sourceLocation: sourceLocation) {
    expected[$0].error
  }
}
