import BlockFormats
import LowPrecisionTraining
import Testing
import TrainingRecipes

@Suite("Delayed scaling")
struct DelayedScaleTests {
  @Test("Casts use the scale of the last step, and the oldest magnitude drops out of the history")
  func workedExample() {
    var state = DelayedScale(.init(historyLength: 4), greatestElement: 448)
    #expect(state.scale == 1 && state.history == [0, 0, 0, 0])
    // Amax of each step, then the scale after it and the history that it leaves.
    let steps: [(amax: Float, scale: Float, history: [Float])] = [
      (7, 64, [0, 0, 0, 7]),
      (14, 32, [0, 0, 7, 14]),
      (3.5, 32, [0, 7, 14, 3.5]),
      // The present step and all slots count, so 14 still decides; then 7 drops out.
      (1.75, 32, [0, 14, 3.5, 1.75]),
      (1, 32, [0, 3.5, 1.75, 1]),
      // 14 has left: 448 / 3.5.
      (0.5, 128, [0, 1.75, 1, 0.5]),
      // A zero tensor leaves its slot at zero.
      (0, 256, [0, 1, 0.5, 0]),
    ]
    var before: Float = 1
    for step in steps {
      #expect(state.scale == before)
      state.record(amax: step.amax)
      #expect(state.history[0] == step.amax && state.scale == before)
      state.endStep()
      #expect(state.scale == step.scale && state.history == step.history)
      before = step.scale
    }
    #expect(state.decodeMultiplier == 0x1p-8)
  }

  @Test("The default history holds 1024 steps, the present one included")
  func defaultLength() {
    var state = DelayedScale(.init(), greatestElement: 57344)
    state.record(amax: 57344)
    state.endStep()
    for _ in 0..<1023 {
      #expect(state.scale == 1)
      state.record(amax: 1)
      state.endStep()
    }
    state.record(amax: 1)
    state.endStep()
    #expect(state.scale == 57344 && state.history.count == 1024)
  }

  @Test("A history of one step and the most recent rule follow the present tensor alone")
  func shortHistories() {
    var short = DelayedScale(.init(historyLength: 1), greatestElement: 448)
    var recent = DelayedScale(
      .init(historyLength: 8, amax: .mostRecent), greatestElement: 448)
    for (amax, scale) in [(Float(4), Float(112)), (2, 224), (448, 1)] {
      short.record(amax: amax)
      recent.record(amax: amax)
      short.endStep()
      recent.endStep()
      #expect(short.scale == scale && recent.scale == scale)
      #expect(short.history == [0])
    }
  }

  @Test("The largest of several casts in a step counts, and NaN outlives any number")
  func severalCasts() {
    var state = DelayedScale(.init(historyLength: 2), greatestElement: 448)
    for amax in [Float(2), 7, 3] { state.record(amax: amax) }
    #expect(state.history[0] == 7)
    state.record(amax: .nan)
    state.record(amax: 9)
    #expect(state.history[0].isNaN)
  }

  @Test("A margin lowers the scale by a power of two")
  func margin() {
    for (margin, scale) in [(0, Float(64)), (3, 8), (-1, 128)] {
      var state = DelayedScale(.init(margin: margin), greatestElement: 448)
      state.record(amax: 7)
      state.endStep()
      #expect(state.scale == scale)
    }
  }

  @Test("Zero, infinite and NaN magnitudes keep the scale, and infinite ones until they drop out")
  func nonFinite() {
    for bad in [Float.infinity, .nan] {
      var state = DelayedScale(.init(historyLength: 3), greatestElement: 448)
      state.endStep()
      #expect(state.scale == 1)
      state.record(amax: 7)
      state.endStep()
      #expect(state.scale == 64)
      for amax in [bad, 1, 1] {
        state.record(amax: amax)
        state.endStep()
        #expect(state.scale == 64)
      }
      state.record(amax: 1)
      state.endStep()
      #expect(state.scale == 448)
    }
  }

  @Test("Scales at the ends of FP32 stay finite, and so do the multipliers that encoders take")
  func extremes() {
    for margin in [-64, 0, 64] {
      for amax in [Float.leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude] {
        var state = DelayedScale(.init(margin: margin), greatestElement: 448)
        state.record(amax: amax)
        state.endStep()
        #expect(state.scale.isFinite && state.scale >= .leastNormalMagnitude)
        #expect(TensorScale.isValid(decode: state.decodeMultiplier))
        _ = [amax].quantized(to: ScaledFormat.fp8(.e4m3fn, block: .tensor))
      }
    }
    var state = DelayedScale(.init(), greatestElement: 448)
    state.record(amax: .leastNonzeroMagnitude)
    state.endStep()
    #expect(state.scale == .greatestFiniteMagnitude)
  }

  @Test("Values beyond the range of an old scale saturate")
  func saturation() {
    var state = DelayedScale(.init(), greatestElement: 448)
    state.record(amax: 7)
    state.endStep()
    let cast = Tensor([1, -7, 14, 100]).fakeQuantized(
      to: ScaledFormat.fp8(.e4m3fn, block: .tensor), tensorScale: state.decodeMultiplier)
    #expect(cast.tensor.elements == [1, -7, 7, 7])
  }

  @Test("A state restored from its parts goes on as if it had never stopped")
  func restored() {
    var state = DelayedScale(.init(historyLength: 4), greatestElement: 448)
    for amax in [Float(5), 3, 2] {
      state.record(amax: amax)
      state.endStep()
    }
    var copy = DelayedScale(
      state.rule, greatestElement: 448, history: state.history, scale: state.scale)
    #expect(copy == state)
    for amax in [Float(1), 0.5, 0.25, 0.125] {
      state.record(amax: amax)
      copy.record(amax: amax)
      state.endStep()
      copy.endStep()
      #expect(copy == state)
    }
  }
}
