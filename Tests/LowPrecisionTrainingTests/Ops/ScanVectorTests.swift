import BlockFormats
import FormatTestSupport
import Testing

@testable import LowPrecisionTraining

/// The parts of Mamba blocks against PyTorch and against the published recurrences in double
/// precision; see `OperationVectorTests`.
@Suite("Parts of Mamba blocks against PyTorch's")
struct ScanVectorTests {
  @Test("Causal depthwise convolution")
  func convolution() throws {
    try OperationVectorRun.forCases(in: "convolution") { run in
      run.tape.causalConvolution(
        try run.activation("x"), weight: try run.parameter("weight"),
        bias: try run.parameter("bias"))
    }
  }

  @Test("Softplus")
  func softplus() throws {
    try OperationVectorRun.forCases(in: "functions", where: { $0 == "softplus" }) { run in
      run.tape.softplus(try run.activation("x"))
    }
  }

  @Test("Mamba-1's selective scan")
  func selectiveScan() throws {
    try OperationVectorRun.forCases(in: "scans", where: { $0 == "selective_scan" }) { run in
      run.tape.selectiveScan(
        u: try run.activation("u"), dt: try run.activation("dt"), a: try run.parameter("a"),
        b: try run.activation("b"), c: try run.activation("c"), d: try run.parameter("d"))
    }
  }

  @Test("Mamba-2's scan")
  func stateSpaceDual() throws {
    try OperationVectorRun.forCases(in: "scans", where: { $0.hasPrefix("state_space_dual") }) {
      run in
      let heads = try #require(run.vectors.integers["heads"])
      return run.tape.stateSpaceDual(
        x: try run.activation("x"), dt: try run.activation("dt"), a: try run.parameter("a"),
        b: try run.activation("b"), c: try run.activation("c"), d: try run.parameter("d"),
        heads: StateSpaceHeads(
          count: heads[0], size: heads[1], groupCount: heads[2], stateCount: heads[3]))
    }
  }
}
