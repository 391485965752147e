import BlockFormats
import Testing
import TrainingRecipes

@Suite("Mistakes of callers of recipes")
struct CallerMistakeTests {
  /// Whether an exit test's error output holds a message.
  private func reports(_ result: ExitTest.Result?, _ message: String) -> Bool {
    guard let result else { return false }
    return String(decoding: result.standardErrorContent, as: UTF8.self).contains(message)
  }

  @Test("Operands, scales and rotations that do not exist trap with their names")
  func recipes() async {
    let role = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Role(LayerPlace(.mlpUp), .state, .forward)
    }
    #expect(reports(role, "forward of mlp_up has no operand state"))
    let delayed = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = BlockQuantization(.mxfp4, scaling: .delayed(.init()))
    }
    #expect(reports(delayed, "mxfp4 does not have one FP32 scale for the whole tensor"))
    let length = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = OperandTransform(length: 24, signs: .perRun)
    }
    #expect(reports(length, "a Hadamard matrix of 24 is not among"))
  }
}
