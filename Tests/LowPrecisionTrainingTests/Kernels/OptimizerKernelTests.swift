import CTrainingKernels
import FormatTestSupport
import Testing

@Suite("Kernels of optimizers")
struct OptimizerKernelTests {
  @Test("AdamW agrees with double precision")
  func adamw() {
    var generator = SeededGenerator(seed: 1)
    var step = BKAdamW(
      gradient_scale: 0.5, first_decay: 0.9, second_decay: 0.95, step: 1e-2,
      second_correction: 1.7, epsilon: 1e-8, weight_factor: 0.999)
    for count in 0...70 {
      let gradient = generator.numbers(count), w = generator.numbers(count)
      let m = generator.numbers(count), v = generator.numbers(count).map(abs)
      let results = onEveryLevel([gradient, w, m, v]) {
        $0.adamw(&step, $1[0], count, $1[1], $1[2], $1[3])
      }
      for i in 0..<count {
        let g = Double(gradient[i]) * 0.5, b1 = Double(Float(0.9)), b2 = Double(Float(0.95))
        let first = b1 * Double(m[i]) + (1 - b1) * g
        let second = b2 * Double(v[i]) + (1 - b2) * g * g
        let firstError = 3 * halfUlp * (abs(b1 * Double(m[i])) + abs((1 - b1) * g))
        let divisor = second.squareRoot() * Double(step.second_correction) + 1e-8
        let update = Double(step.step) * first / divisor
        let weight = Double(w[i]) * Double(step.weight_factor) - update
        expectClose([results[2][i]], [first]) { _ in firstError }
        expectClose([results[3][i]], [second]) { _ in 4 * halfUlp * second }
        expectClose([results[1][i]], [weight]) { _ in
          halfUlp * (2 * abs(Double(w[i])) + 8 * abs(update))
            + Double(step.step) * firstError / divisor
        }
      }
    }
  }

  @Test("A gradient of zeros leaves weights whose moments are zero to decay alone")
  func zeroGradient() {
    var step = BKAdamW(
      gradient_scale: 1, first_decay: 0.9, second_decay: 0.999, step: 1, second_correction: 1,
      epsilon: 1e-8, weight_factor: 0.5)
    let zeros = [Float](repeating: 0, count: 5)
    let results = onEveryLevel([zeros, [1, 2, 3, 4, 5], zeros, zeros]) {
      $0.adamw(&step, $1[0], 5, $1[1], $1[2], $1[3])
    }
    #expect(results[1] == [0.5, 1, 1.5, 2, 2.5])
    #expect(results[2] == zeros && results[3] == zeros)
  }

  @Test("Momentum agrees with double precision")
  func momentum() {
    var generator = SeededGenerator(seed: 2)
    var step = BKMomentum(gradient_scale: 2, momentum: 0.9, learning_rate: 0.1, weight_decay: 0.01)
    for count in 0...70 {
      let gradient = generator.numbers(count)
      let w = generator.numbers(count), m = generator.numbers(count)
      let results = onEveryLevel([gradient, w, m]) {
        $0.momentum(&step, $1[0], count, $1[1], $1[2])
      }
      for i in 0..<count {
        let g = 2 * Double(gradient[i]) + Double(step.weight_decay) * Double(w[i])
        let moment = Double(step.momentum) * Double(m[i]) + g
        let weight = Double(w[i]) - Double(step.learning_rate) * moment
        // Numbers of at most 4 and 6, each rounded once.
        expectClose([results[2][i]], [moment]) { _ in (4.1 + 6) * halfUlp }
        expectClose([results[1][i]], [weight]) { _ in (0.1 * 10.2 + 2.7) * halfUlp }
      }
    }
  }
}
