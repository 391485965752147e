import CommandLineTestSupport
import CommandLineToolkit

@testable import FormatBench

/// Runs one command line of `fmtbench` in this process, as a shell with two pipes would.
///
/// - Parameter columns: what the environment says about the width of text; nothing by default.
func runFmtbench(_ arguments: [String], columns: Int? = nil) -> RunResult {
  run(Fmtbench.tool, arguments, variables: columns.map { ["COLUMNS": String($0)] } ?? [:])
}
