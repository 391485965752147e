import CTrainingKernels
import FormatTestSupport
import Testing

@Suite("Kernels of causal convolutions")
struct ConvolutionKernelTests {
  private func convolution(
    _ x: [Double], _ w: [Double], _ b: [Double], steps: Int, channels: Int
  ) -> [Double] {
    (0..<steps * channels).map { place in
      let (t, c) = (place / channels, place % channels)
      return b[c]
        + (0..<4).reduce(0) { sum, k in
          let source = t - 3 + k
          return source < 0 ? sum : sum + w[k * channels + c] * x[source * channels + c]
        }
    }
  }

  @Test("Results agree with double precision for any steps and channels")
  func results() {
    var generator = SeededGenerator(seed: 1)
    for count in 0...70 {
      let (steps, channels) = (count * 7 % 41, count), stride = channels + count % 2
      let x = generator.rows(steps, channels, stride: stride)
      let w = generator.numbers(4 * channels), b = generator.numbers(channels)
      var shape = BKSequence(steps: steps, channels: channels, stride: stride)
      let y = onEveryLevel([x, w, b, x]) { $0.convolve(&shape, $1[0], $1[1], $1[2], $1[3]) }[3]
      let dense = (0..<steps * channels).map { x[$0 / channels * stride + $0 % channels] }
      let expected = convolution(
        doubles(dense), doubles(w), doubles(b), steps: steps, channels: channels)
      // Four sums of at most 18, each rounded once.
      for t in 0..<steps {
        expectClose(
          y[t * stride..<t * stride + channels],
          Array(expected[t * channels..<(t + 1) * channels])
        ) { _ in 4 * 18 * halfUlp }
        #expect(y[t * stride + channels..<(t + 1) * stride].allSatisfy { $0 == untouched })
      }
    }
  }

  @Test("Derivatives agree with central differences")
  func derivatives() {
    var generator = SeededGenerator(seed: 2)
    for (steps, channels) in [(0, 3), (1, 1), (2, 5), (3, 2), (4, 17), (9, 3), (33, 1), (40, 2)] {
      let stride = channels + 1
      let x = generator.numbers(steps * channels), dy = generator.numbers(steps * channels)
      let w = generator.numbers(4 * channels), b = generator.numbers(channels)
      let dw = generator.numbers(4 * channels), db = generator.numbers(channels)
      func spread(_ numbers: [Float]) -> [Float] {
        (0..<steps * stride).map {
          $0 % stride < channels ? numbers[$0 / stride * channels + $0 % stride] : untouched
        }
      }
      var shape = BKSequence(steps: steps, channels: channels, stride: stride)
      let results = onEveryLevel([spread(x), w, spread(dy), spread(dy), dw, db, dw]) {
        $0.convolve_backward(&shape, $1[0], $1[1], $1[2], $1[3], $1[4], $1[5])
        $0.convolve_backward(&shape, $1[0], $1[1], $1[2], $1[3], $1[6], nil)
      }
      #expect(results[4] == results[6])
      func loss(_ x: [Double], _ w: [Double], _ b: [Double]) -> Double {
        dot(doubles(dy), convolution(x, w, b, steps: steps, channels: channels))
      }
      let (xs, ws, bs) = (doubles(x), doubles(w), doubles(b))
      // Sums in order of `steps` products of at most 4 onto a number of at most 2; central
      // differences are exact here but for the rounding of the loss.
      let sum = Double(4 * steps + 2), rounding = 1e-13 * (Double(steps * channels) * 40 + 1) / 1e-5
      let dx = gradient(at: xs) { loss($0, ws, bs) }
      let gaps = spread(dx.map { Float($0) })
      expectClose(results[3], doubles(gaps)) { _ in (4 * 16 + 16) * halfUlp + rounding }
      let dws = gradient(at: ws) { loss(xs, $0, bs) }
      expectClose(results[4], zip(dws, dw).map { $0 + Double($1) }) { _ in
        Double(steps) * sum * halfUlp + rounding
      }
      let dbs = gradient(at: bs) { loss(xs, ws, $0) }
      expectClose(results[5], zip(dbs, db).map { $0 + Double($1) }) { _ in
        Double(steps) * sum * halfUlp + rounding
      }
      #expect(
        results[3].indices.allSatisfy { $0 % stride < channels || results[3][$0] == untouched })
    }
  }
}
