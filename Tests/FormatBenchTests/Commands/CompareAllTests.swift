import BlockFormats
import CommandLineTestSupport
import CommandLineToolkit
import Foundation
import Testing

@testable import FormatBench

@Suite("fmtbench compare --formats all")
struct CompareAllTests {
  private func rows(_ words: [String]) throws -> [[String: Any]] {
    let result = runFmtbench(["compare", "--json"] + words)
    #expect(result.status == .done && result.stderr.isEmpty, "\(result.stderr)")
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(result.stdout.utf8)) as? [String: Any])
    return try #require(object["rows"] as? [[String: Any]])
  }

  private static let sample = ["--distribution", "normal", "--vectors", "4", "--length", "40"]

  @Test("`all` is every format of the catalog in its order, with a number for each")
  func all() throws {
    let rows = try rows(["--formats", "ALL", "--rows", "total"] + Self.sample)
    #expect(rows.compactMap { $0["format"] as? String } == FormatCatalog.all.map(\.id))
    for row in rows {
      let error = try #require(row["mse"] as? Double, "\(row)")
      #expect(error.isFinite && error >= 0, "\(row)")
    }
  }

  @Test("Beside `all` a format comes once, and further ones join it")
  func further() throws {
    let words = ["--formats", "all,mxfp4,mxfp4(block=16)", "--rows", "total"] + Self.sample
    let ids = try rows(words).compactMap { $0["format"] as? String }
    #expect(ids == FormatCatalog.all.map(\.id) + ["mxfp4(block=16)"])
    // Named twice without `all`, a format has two rows, as always.
    #expect(try rows(["--formats", "mxfp4,mxfp4", "--rows", "total"] + Self.sample).count == 2)
  }

  @Test("A rule that not all formats have is swept where it is, without a warning for each other")
  func rules() throws {
    let words = ["--formats", "all", "--scale-rule", "oas,floor", "--rows", "total"] + Self.sample
    let rows = try rows(words)
    let swept = rows.filter { $0["format"] as? String == "mxfp4" }
    #expect(swept.compactMap { $0["scale_rule"] as? String } == ["oas", "floor"])
  }

  @Test("The output names the formats whose last blocks are shorter, and on how many tensors")
  func shortBlocks() {
    let text = runFmtbench(
      ["compare", "--formats", "mxfp4,nvfp4,int8_row,bf16"] + Self.sample, columns: 200
    )
    .stdout
    #expect(
      text.contains(
        "Last blocks are shorter, not padded, where a block does not divide its axis: "
          + "on 1 of 1 tensor for mxfp4 nvfp4."), "\(text)")
    let whole = ["--distribution", "normal", "--vectors", "4", "--length", "64"]
    let none = runFmtbench(["compare", "--formats", "mxfp4,nf4"] + whole).stdout
    #expect(!none.contains("shorter"), "\(none)")
  }

  @Test("Blocks are short where their length does not divide what they run along")
  func layouts() {
    func isShort(_ format: any BlockFormat, _ shape: [Int], _ axis: Int) -> Bool {
      format.layout.leavesShortBlocks(in: shape, axis: axis)
    }
    let mxfp4 = SharedExponentFormat.mxfp4
    #expect(
      !isShort(mxfp4, [3, 64], -1) && isShort(mxfp4, [3, 65], 1) && isShort(mxfp4, [3, 64], 0))
    // Runs count the flattened tensor.
    #expect(!isShort(AbsmaxFormat.nf4, [16, 4], 0) && isShort(AbsmaxFormat.nf4, [3, 5], 0))
    let tile = TwoLevelFormat.nvfp4TwoDimensional
    #expect(
      !isShort(tile, [32, 16], 0) && isShort(tile, [32, 17], 0) && isShort(tile, [33, 16], 1))
    #expect(isShort(mxfp4, [], -1) && !isShort(mxfp4, [0, 5], -1))
    #expect(!isShort(CastFormat.bf16, [5], -1) && !isShort(ScaledFormat.int8Row, [5], -1))
  }
}
