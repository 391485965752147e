import BlockFormats
import CommandLineTestSupport
import CommandLineToolkit
import FormatMetrics
import Foundation
import TensorFiles
import Testing
import UntrustedText

@testable import FormatBench

@Suite("The table of fmtbench compare")
struct CompareTableTests {
  /// The rows of a table: what stands below the rule, in words.
  private func tableRows(_ text: String) -> [[String]] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.drop { !$0.hasPrefix("---") }.dropFirst().prefix { !$0.isEmpty }
      .map { $0.split(separator: " ").map(String.init) }
  }

  @Test("The default answer is one table within 80 columns and 60 lines, in a pipe too")
  func answerFits() {
    let result = runFmtbench(["compare", "--vectors", "4"])
    #expect(result.status == .done && result.stderr.isEmpty)
    let lines = result.stdout.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count <= 60)
    for line in lines { #expect(TextLayout.width(line) <= 80, "\(line)") }
    let rows = tableRows(result.stdout)
    #expect(rows.map { $0[0] }.sorted() == FormatCatalog.standard.map(\.id).sorted())
    // Format, bits, the total, and each sample.
    for row in rows { #expect(row.count == 3 + Distribution.allNamed.count) }
    let terminal = run(
      Fmtbench.tool, ["compare", "--vectors", "4"], output: CaptureSink(terminalColumns: 80),
      variables: ["NO_COLOR": "1"])
    #expect(terminal.stdout == result.stdout)
  }

  @Test("Rows are sorted by stored bits, then by QSNR, and hold the numbers of the JSON form")
  func answerIsSorted() throws {
    let arguments = ["--vectors", "4", "--length", "128"]
    let table = tableRows(runFmtbench(["compare"] + arguments, columns: 200).stdout)
    let rows = try comparedRows(arguments)
    func qsnr(_ tensor: String, _ format: String) throws -> Double {
      let row = rows.first {
        $0["tensor"] as? String == tensor && $0["format"] as? String == format
      }
      return try #require(row?["qsnr_db"] as? Double)
    }
    var previous = (bits: 0.0, loss: -Double.infinity)
    for row in table {
      let total = try qsnr("total", row[0])
      #expect(row[2] == NumberStyle.decibels.text(total))
      for (cell, distribution) in zip(row.dropFirst(3), Distribution.allNamed) {
        #expect(cell == NumberStyle.decibels.text(try qsnr(distribution.id, row[0])))
      }
      let bits = try #require(Double(row[1]))
      #expect((bits, -total) >= previous, "\(row)")
      previous = (bits, -total)
    }
  }

  @Test("Tensors that do not stand side by side are told by total, median and least")
  func manyTensors() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("m.safetensors")
    let tensors = (0..<31).map { index in
      TensorData(
        name: "layer.\(index).weight", shape: [64],
        (0..<64).map { Float(($0 * 37 + index) % 61) - 30.25 })
    }
    try SafetensorsWriter.write(tensors, metadata: [:], to: path)
    let arguments = [path, "--formats", "mxfp4,mx4"]
    let rows = try comparedRows(arguments)
    for columns in [60, 80] {
      let text = runFmtbench(["compare"] + arguments, columns: columns).stdout
      for line in text.split(separator: "\n") {
        #expect(TextLayout.width(line) <= columns, "\(line)")
      }
      for row in tableRows(text) {
        let all = rows.filter { $0["format"] as? String == row[0] }
        let values = all.dropLast().compactMap { $0["qsnr_db"] as? Double }.sorted()
        #expect(row[2] == NumberStyle.decibels.text(try #require(all.last?["qsnr_db"] as? Double)))
        #expect(row[3] == NumberStyle.decibels.text(values[15]))
        #expect(row[4] == NumberStyle.decibels.text(values[0]))
        let least = all.first { $0["qsnr_db"] as? Double == values[0] }
        #expect(row[5] == least?["tensor"] as? String)
      }
    }
  }

  @Test("The total of the table leaves out tensors with NaN or infinity, and says so")
  func totalOfFiniteTensors() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("m.safetensors")
    let values = (0..<64).map { Float($0) * 0.37 - 9 }
    let tensors = [("a", values), ("b", [Float.nan] + values.dropFirst())].map {
      TensorData(name: $0.0, shape: [2, 32], Array($0.1))
    }
    try SafetensorsWriter.write(tensors, metadata: [:], to: path)
    let result = runFmtbench(["compare", path, "--formats", "mxfp4"])
    let row = try #require(tableRows(result.stdout).first)
    #expect(row.count == 5 && row[2] == row[3] && row[2] != "NaN" && row[4] == "NaN")
    #expect(result.stdout.contains("Total is all tensors without NaN and infinity in one."))
    #expect(result.stderr.contains("1 of 2 tensors holds NaN or infinity: b[0, 0] is nan; Total"))
  }

  @Test("Swept rules and roundings have columns; one tensor is told by its measures")
  func otherShapes() throws {
    let sweep = runFmtbench([
      "compare", "--distribution", "normal,laplace", "--vectors", "2", "--formats", "mxfp4,nvfp4",
      "--scale-rule", "floor,rceil", "--rounding", "nearest_even,to_odd",
    ]).stdout
    #expect(tableRows(sweep).count == 6)
    #expect(tableRows(sweep).contains { $0.prefix(3) == ["mxfp4", "rceil", "to_odd"] })
    #expect(!sweep.contains("Choices: scale rule") && sweep.contains("overflow saturate"))

    let folder = try TemporaryFolder()
    try NpyWriter.write(floats: [1, -2, 0.3, 6], shape: [4], to: folder.path("a.npy"))
    let one = runFmtbench(["compare", folder.path("a.npy"), "--formats", "mxfp4,mx4"]).stdout
    #expect(one.contains("Max error") && one.contains("tensors: a.npy"))
    #expect(tableRows(one).count == 2)
  }

  @Test("Names of tensors are headings that cannot act on a terminal")
  func hostileHeadings() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("m.safetensors")
    let tensors = ["a\u{1B}[31mb", "c\nd"].map {
      TensorData(name: $0, shape: [2], [1, 0.3] as [Float])
    }
    try SafetensorsWriter.write(tensors, metadata: [:], to: path)
    for columns in [40, 80, 200] {
      let text = runFmtbench(["compare", path, "--formats", "mxfp4"], columns: columns).stdout
      #expect(!text.unicodeScalars.contains { $0 != "\n" && !isPrintable($0) })
    }
  }

  @Test("--rows tells every measure, --columns those named; unknown ones are refused")
  func details() {
    let base = [
      "compare", "--distribution", "normal,laplace", "--vectors", "2", "--formats", "mxfp4",
    ]
    let all = runFmtbench(base + ["--rows", "all"], columns: 200).stdout
    #expect(tableRows(all).map { $0[0] } == ["normal", "laplace", "total"])
    #expect(all.contains("Exact blocks %"))
    let chosen = runFmtbench(base + ["--columns", "gain,mse", "--csv"]).stdout
    #expect(chosen.hasPrefix("tensor,format,scale_rule,rounding,gain,mse\nnormal,mxfp4,"))
    let totals = runFmtbench(base + ["--columns", "gain", "--columns", "mse"]).stdout
    #expect(tableRows(totals).map { $0[0] } == ["total"])
    let unknown = runFmtbench(base + ["--columns", "gian"])
    #expect(unknown.status == .usage && unknown.stderr.contains("did you mean 'gain'?"))
  }
}
