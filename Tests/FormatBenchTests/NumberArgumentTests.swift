import CommandLineTestSupport
import CommandLineToolkit
import Testing

@testable import FormatBench

@Suite("Numbers given to commands")
struct NumberArgumentTests {
  @Test("Commands say what was given")
  func commands() {
    let beyond = runFmtbench(["explain", "mxfp4", "1e400"])
    #expect(beyond.status == .usage)
    #expect(beyond.stderr.contains("1e400 is beyond the numbers of FP32"))
    let scale = runFmtbench(["explain", "nvfp4", "1", "--tensor-scale", "1e39"])
    #expect(scale.status == .usage && scale.stderr.contains("1e39 is beyond the numbers of FP32"))
    #expect(!scale.stderr.contains("'inf'"))
    let rate = runFmtbench(["train", "--lr", "1e-400"])
    #expect(rate.status == .usage && rate.stderr.contains("1e-400 is below the numbers of FP64"))
  }
}
