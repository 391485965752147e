import CommandLineTestSupport
import CommandLineToolkit
import TensorFiles
import Testing
import UntrustedText

@testable import FormatBench

@Suite("Nothing from a file, a path or an argument steers a terminal")
struct TerminalSafetyTests {
  /// Sets a title, switches colour by a C1 control, turns the direction of text, hides and breaks it.
  private static let hostile = "\u{1B}]0;x\u{7}\u{9B}31m\u{202E}\u{61C}\u{200B}\u{2028}\r\nz"

  private func check(_ text: String, _ label: String) {
    let wrong = text.unicodeScalars.filter { $0 != "\n" && !isPrintable($0) }
    #expect(wrong.isEmpty, "\(label): \(wrong.map(\.value))")
    #expect(text.contains("z"), "\(label)")
  }

  @Test("Names of tensors, in every form of a report, on a terminal and into a pipe")
  func reports() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("m.safetensors")
    try SafetensorsWriter.write(
      [TensorData(name: Self.hostile, shape: [2], [1, .infinity] as [Float])], to: path)
    for form in [[], ["--json"], ["--csv"], ["--markdown"]] {
      for columns in [nil, 60, 200] {
        let result = run(
          Fmtbench.tool, ["compare", path, "--formats", "bf16", "--rows", "all"] + form,
          output: CaptureSink(terminalColumns: columns),
          messages: CaptureSink(terminalColumns: columns), variables: ["TERM": "dumb"])
        #expect(result.status == .done)
        check(result.stdout, "\(form) \(columns ?? 0)")
        check(result.stderr, "warning of \(form) \(columns ?? 0)")
      }
    }
  }

  @Test(
    "Paths and arguments in errors",
    arguments: [
      ["compare", hostile], ["compare", "a.npy", "--tensor", hostile + "("],
      ["compare", "--formats", hostile], ["compare", "--" + hostile], [hostile], ["help", hostile],
      ["encode", hostile, "--format", "mxfp4", "--output", "o"],
      ["encode", "a.npy", "--format", hostile, "--output", "o"],
      ["decode", hostile, "--output", "o"],
      ["document", hostile], ["eval", hostile], ["show", hostile], ["explain", "mxfp4", hostile],
      ["train", "--recipe", hostile], ["train", "--recipe", hostile + ".json"],
      ["train", "--steps", hostile], ["train", "--task", hostile], ["gemm", "--shapes", hostile],
    ])
  func errors(_ arguments: [String]) {
    let result = runFmtbench(arguments)
    #expect(result.status != .done)
    #expect(result.stdout.isEmpty)
    check(result.stderr, "\(arguments)")
  }

  @Test("Texts of a file in its errors")
  func fileErrors() throws {
    let folder = try TemporaryFolder()
    let tensor = TensorData(name: Self.hostile, shape: [1], [1] as [UInt8])
    let path = folder.path("\(Self.hostile).safetensors")
    for metadata in [
      ["format": Self.hostile, "axis": "0"],
      ["format": "mxfp4", "axis": "0", "rounding": Self.hostile],
    ] {
      try SafetensorsWriter.write([tensor], metadata: metadata, to: path)
      for arguments in [["compare", path], ["decode", path, "--output", "o"], ["eval", path]] {
        let result = runFmtbench(arguments)
        #expect(result.status == .input, "\(arguments)")
        check(result.stderr, "\(arguments)")
      }
    }
  }
}
