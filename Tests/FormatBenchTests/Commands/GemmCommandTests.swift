import BlockFormats
import CommandLineTestSupport
import Foundation
import QuantizedLinearAlgebra
import Testing

@testable import CommandLineToolkit
@testable import FormatBench

@Suite("fmtbench gemm")
struct GemmCommandTests {
  static let keys: Set<String> = [
    "a", "b", "m", "n", "k", "threads", "accumulator", "unit", "gops", "spread", "peak_by",
    "peak_gops", "peak_spread", "peak_ratio", "gbytes_per_s", "limit_gbytes_per_s", "read_ratio",
    "qsnr_db", "gain", "max_abs_error",
  ]
  static let speedKeys = [
    "gops", "spread", "peak_by", "peak_gops", "peak_spread", "peak_ratio",
  ]
  static let readingKeys = ["gbytes_per_s", "limit_gbytes_per_s", "read_ratio"]

  private func plan(_ words: String...) throws -> GemmPlan {
    GemmCommand.plan(try ArgumentParser(declaration: GemmCommand.declaration).parse(words[...]))
  }

  /// The report of a plan, read back from JSON.
  private func report(_ plan: GemmPlan) throws -> [String: Any] {
    let run = GemmRun(plan: plan, clock: RepeatClock(repeats: 2, leastSeconds: 0))
    let machine = MachineFacts(processor: "a CPU", memoryByteCount: 1 << 30)
    let report = GemmReport.report(try run.rows(), run, machine: machine)
    let text = ReportFormat.json.text(of: report, for: .file)
    return try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  private func rows(_ plan: GemmPlan) throws -> [[String: Any]] {
    try #require(report(plan)["rows"] as? [[String: Any]])
  }

  @Test("Without options a square and a vector meet the default pairs, on one core and all")
  func defaults() throws {
    let plan = try plan()
    #expect(plan.shapes.map(\.description) == ["1024x1024x1024", "1x4096x4096"])
    #expect(
      plan.pairs.map(\.description) == [
        "fp32", "bf16", "mxfp4", "mxint8", "mxfp6_e2m3", "mxfp6_e3m2", "mxfp8_e4m3",
        "mxfp8_e4m3:mxfp4", "nvfp4", "mx9", "mx6", "msfp12", "fp8_e4m3_tensor", "int8_row",
      ])
    #expect(plan.levels == [.best] && !plan.showsLevel)
    #expect(plan.accumulators == [.float32] && !plan.showsProductErrors)
    #expect(plan.threadCounts.first == 1)
    #expect(Set(plan.threadCounts) == [1, Parallelism.allCores.threadCount])
    #expect(plan.rowCount == 2 * 14 * plan.threadCounts.count)
    try plan.check()
  }

  @Test("Lists vary the product, and accumulators of the reference do not vary with the kernels")
  func lists() throws {
    let plan = try plan(
      "--shapes", "2x3x4,5x6x7", "--formats", "fp32:mxfp4,mx9", "--threads", "1,3", "--level",
      "portable", "--accumulator",
      "exact,fp32,tensor_core(group=16,f=13,rounding=truncate,promote=32)",
      "--seed", "9")
    #expect(
      plan.shapes == [.init(rows: 2, columns: 3, depth: 4), .init(rows: 5, columns: 6, depth: 7)])
    #expect(
      plan.pairs.map(\.a.id) == ["fp32", "mx9"] && plan.pairs.map(\.b.id) == ["mxfp4", "mx9"])
    #expect(plan.levels == [.portable] && plan.showsLevel && plan.seed == 9)
    #expect(plan.accumulators.count == 3 && plan.showsProductErrors)
    #expect(plan.rowCount == 2 * 2 * (1 * 2 + 2))
  }

  @Test("A row for each combination has every key, and rates that agree with each other")
  func everyRowIsComplete() throws {
    var plan = try plan(
      "--shapes", "5x33x64,1x64x96", "--formats",
      "fp32,bf16,mxfp4,mxfp8_e4m3:mxfp4,mx9,fp32:mxfp4,mxfp4:fp32,nvfp4_2d")
    plan.threadCounts = [1, 2]
    let report = try report(plan)
    #expect(report["command"] as? String == "gemm" && report["cpu"] as? String == "a CPU")
    #expect(report["kernel_level"] as? String == KernelLevel.best.id)
    let rows = try #require(report["rows"] as? [[String: Any]])
    #expect(rows.count == plan.rowCount)
    var units: [String: String] = [:]
    for row in rows {
      #expect(Set(row.keys) == Self.keys)
      func number(_ key: String) throws -> Double { try #require(row[key] as? Double, "\(key)") }
      let ratio = try number("gops") / number("peak_gops")
      #expect(try abs(number("peak_ratio") / ratio - 1) < 16 * 0x1p-53 && number("gops") > 0)
      if row["m"] as? Int == 1 {
        let ratio = try number("gbytes_per_s") / number("limit_gbytes_per_s")
        #expect(try abs(number("read_ratio") / ratio - 1) < 16 * 0x1p-53)
      } else {
        #expect(Self.readingKeys.allSatisfy { row[$0] is NSNull })
      }
      #expect(row["accumulator"] as? String == "fp32")
      units["\(row["a"] ?? "")"] = row["unit"] as? String
      #expect(try number("qsnr_db") > 10)
    }
    #expect(
      units == [
        "fp32": "float32", "bf16": "bfloat16", "mxfp4": "float32", "mxfp8_e4m3": "bfloat16",
        "mx9": "int16", "nvfp4_2d": "int8",
      ])
  }

  @Test("Accumulators have errors without a speed, and the exact one has none of its own")
  func accumulators() throws {
    let plan = try plan(
      "--shapes", "40x9x256", "--formats", "mxfp8_e4m3,fp8_e4m3_128x128", "--threads", "1",
      "--level", "portable", "--accumulator", "fp32,exact,bf16,hopper_fp8_like")
    let rows = try rows(plan)
    #expect(rows.count == 8)
    for row in rows {
      #expect(Set(row.keys) == Self.keys.union(["level", "product_qsnr_db"]))
      func number(_ key: String) throws -> Double { try #require(row[key] as? Double, "\(key)") }
      #expect(try number("qsnr_db") > 20)
      guard row["accumulator"] as? String != "fp32" else {
        #expect(row["level"] as? String == "portable" && row["threads"] as? Int == 1)
        #expect(try number("product_qsnr_db") > 120 && number("gops") > 0)
        continue
      }
      #expect(row["level"] as? String == "reference")
      #expect(row["threads"] as? Int == Parallelism.allCores.threadCount)
      #expect((Self.speedKeys + Self.readingKeys).allSatisfy { row[$0] is NSNull })
      switch row["accumulator"] as? String {
      case "exact": #expect(row["product_qsnr_db"] as? String == "Infinity")
      case "bf16": #expect(try (20...70).contains(number("product_qsnr_db")))
      default: #expect(try (50...120).contains(number("product_qsnr_db")))
      }
    }
  }

  @Test("Debug builds are refused, after mistakes in the command line")
  func debugBuilds() {
    guard BuildFacts.configuration == .debug else { return }
    let result = runFmtbench(["gemm", "--formats", "mxfp4"])
    #expect(result.status == .usage && result.stdout.isEmpty)
    #expect(result.stderr.contains("gemm: this is a debug build"))
    #expect(result.stderr.contains("swift build -c release"))
  }

  @Test(
    "Shapes, formats, levels and accumulators that cannot be are usage errors with their numbers",
    arguments: [
      (["--shapes", "2x3"], "'2x3' is not three integers"), (["--shapes", "2x3x0"], "'2x3x0'"),
      (["--shapes", "2x3x4x5"], "'2x3x4x5'"), (["--shapes", "2xx3"], "'2xx3'"),
      (["--shapes", "65536x65536x2"], "Y of 65536x65536 exceeds 268435456 elements"),
      (["--shapes", "1x9223372036854775807x2"], "B of 9223372036854775807x2 exceeds"),
      (["--formats", "mxfp5"], "did you mean 'mxfp4'?"),
      (["--formats", "mxfp4:nvfp5"], "did you mean 'nvfp4'?"),
      (["--formats", "mxfp4:"], "'mxfp4:' is not a format or two"),
      (["--formats", "mxfp4:mxfp4:mxfp4"], "is not a format or two"),
      (
        ["--formats", "mxfp4(block=24):mxfp4", "--shapes", "4x4x96"],
        "mxfp4(block=24):mxfp4 at 4x4x96: mxfp4(block=24) has blocks of 24 elements and mxfp4 of 32"
      ),
      (["--accumulator", "exactly"], "did you mean 'exact'?"),
      (["--level", "avx513"], "did you mean 'avx512'?"),
      (["--level", "reference"], "unknown kernel level 'reference'"),
      (["--threads", "0"], "--threads"), (["--repeats", "0"], "--repeats"),
    ])
  func usageErrors(words: [String], message: String) {
    let result = runFmtbench(["gemm"] + words)
    #expect(result.status == .usage && result.stdout.isEmpty)
    #expect(result.stderr.contains(message), "\(result.stderr)")
  }
}
