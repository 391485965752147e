import BlockFormats
import LowPrecisionTraining
import Testing

@Suite("Mistakes of callers of recipes")
struct CallerMistakeTests {
  /// Whether an exit test's error output holds a message.
  private func reports(_ result: ExitTest.Result?, _ message: String) -> Bool {
    guard let result else { return false }
    return String(decoding: result.standardErrorContent, as: UTF8.self).contains(message)
  }

  @Test("Operands and scales that do not exist trap with their names")
  func recipes() async {
    let role = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Role(LayerPlace(.mlpUp), .state, .forward)
    }
    #expect(reports(role, "forward of mlp_up has no operand state"))
    let delayed = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = BlockQuantization(.mxfp4, scaling: .delayed(.init()))
    }
    #expect(reports(delayed, "mxfp4 does not have one FP32 scale for the whole tensor"))
  }

  @Test("Keys and matrices out of range trap with the numbers")
  func numbers() async {
    let key = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let key = StreamKey(layer: 1 << 19, tensor: .input, product: .forward, step: 0)
      _ = RandomStreams(seed: 0).source(for: key)
    }
    #expect(reports(key, "layer 524288 is outside 0..<2^19"))
    let matrix = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = HadamardTransform(length: 16).transformed([1, 2, 3], rows: 2, columns: 2, axis: 1)
    }
    #expect(reports(matrix, "buffers of 3 and 3 values for a matrix of 2x2"))
    let length = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = OperandTransform(length: 24, signs: .perRun)
    }
    #expect(reports(length, "a Hadamard matrix of 24 is not among"))
  }
}
