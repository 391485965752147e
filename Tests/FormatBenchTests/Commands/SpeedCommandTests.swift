import BlockFormats
import CommandLineTestSupport
import Foundation
import Testing

@testable import CommandLineToolkit
@testable import FormatBench

@Suite("fmtbench speed")
struct SpeedCommandTests {
  static let keys: Set<String> = [
    "format", "direction", "placement", "threads", "elements", "gelements_per_s", "gbytes_per_s",
    "spread", "limit_gelements_per_s", "limit_spread", "limit_stores", "limit_ratio",
  ]

  private func plan(_ words: String...) throws -> SpeedPlan {
    SpeedCommand.plan(try ArgumentParser(declaration: SpeedCommand.declaration).parse(words[...]))
  }

  /// The report of a plan on tensors of a few rows, read back from JSON.
  private func report(_ plan: SpeedPlan) throws -> [String: Any] {
    let run = SpeedRun(
      plan: plan,
      sizes: PlacementSizes(l2ByteCount: 512, dramByteCount: 2048, l2Columns: 64, dramColumns: 128),
      clock: RepeatClock(repeats: 3, leastSeconds: 0))
    let machine = MachineFacts(processor: "a CPU", memoryByteCount: 1 << 30)
    let report = SpeedReport.report(run.rows(), run, machine: machine)
    let text = ReportFormat.json.text(of: report, for: .file)
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
    return try #require(object as? [String: Any])
  }

  private func rows(_ plan: SpeedPlan) throws -> [[String: Any]] {
    try #require(report(plan)["rows"] as? [[String: Any]])
  }

  @Test("Without options everything is measured for the standard formats, on one core and all")
  func defaults() throws {
    let plan = try plan()
    #expect(plan.formats.map(\.id) == FormatCatalog.standard.map(\.id))
    #expect(plan.directions == [.encode, .decode, .fakeQuantize])
    #expect(plan.placements == [.l2, .dram])
    #expect(plan.threadCounts.first == 1)
    #expect(Set(plan.threadCounts) == [1, Parallelism.allCores.threadCount])
    #expect(plan.threadCounts.count == Set(plan.threadCounts).count)
    #expect(plan.variantKeys.isEmpty)
    let variant = try #require(plan.variants.first)
    #expect(plan.variants.count == 1)
    #expect(variant.rounding == .deterministic(.toNearestOrEven) && variant.axis == -1)
    #expect(variant.kernels == .best && variant.input == .float32)
  }

  @Test("Lists vary the call, every combination once")
  func variants() throws {
    let plan = try plan(
      "--formats", "mxfp4,nvfp4", "--direction", "decode", "--placement", "l2", "--threads", "1,3",
      "--axis", "0,-1", "--level", "reference", "--input", "bf16,fp16", "--seed", "9")
    #expect(plan.variantKeys == [.axis, .level, .input])
    #expect(
      plan.variants.map { "\($0.axis) \($0.kernels.id) \($0.input.id) \($0.rounding.id)" } == [
        "0 reference bf16 nearest_even", "0 reference fp16 nearest_even",
        "-1 reference bf16 nearest_even", "-1 reference fp16 nearest_even",
      ])
    #expect(plan.threadCounts == [1, 3])
    #expect(plan.rowCount == 2 * 4 * 2)
    #expect(plan.seed == 9)
  }

  @Test("A row for each combination has every key, and rates that agree with each other")
  func everyRowIsComplete() throws {
    var plan = try plan("--formats", "mxfp4,nvfp4,fp8_e4m3_tensor,bf16")
    plan.threadCounts = [1, 2]
    let report = try report(plan)
    #expect(report["cpu"] as? String == "a CPU")
    #expect(report["kernel_level"] as? String == KernelLevel.best.id)
    #expect(report["repeats"] as? Int == 3)
    let rows = try #require(report["rows"] as? [[String: Any]])
    #expect(rows.count == plan.rowCount)
    var subjects: Set<String> = []
    for row in rows {
      #expect(Set(row.keys) == Self.keys)
      func number(_ key: String) throws -> Double { try #require(row[key] as? Double) }
      subjects.insert(
        ["format", "direction", "placement", "threads"].map { "\(row[$0] ?? "")" }.joined(
          separator: " "))
      let rate = try number("gelements_per_s")
      #expect(rate > 0)
      // Each of three numbers is at most three roundings away from a quotient of medians, and
      // Foundation's JSON reader another unit in the last place: 3 (3 + 2) roundings and that here.
      let ratio = try rate / number("limit_gelements_per_s")
      #expect(try abs(number("limit_ratio") / ratio - 1) < 16 * 0x1p-53)
      if row["format"] as? String == "mxfp4" {
        let bytes = row["direction"] as? String == "fake_quantize" ? 8.0 : 4 + 4.25 / 8
        #expect(try abs(number("gbytes_per_s") / rate / bytes - 1) < 16 * 0x1p-53)
      }
    }
    #expect(subjects.count == rows.count)
  }

  @Test("Rows carry the choices that the command line made, and only those")
  func variantKeys() throws {
    let plan = try plan(
      "--formats", "mxfp4", "--rounding", "stochastic", "--axis", "0", "--level", "reference",
      "--input", "bf16", "--threads", "1")
    for row in try rows(plan) {
      #expect(Set(row.keys) == Self.keys.union(["rounding", "axis", "level", "input"]))
      #expect(row["rounding"] as? String == "stochastic")
      #expect(row["axis"] as? Int == 0)
      #expect(row["level"] as? String == "reference")
      #expect(row["input"] as? String == "bf16")
    }
  }

  @Test("A tensor in the cache grows with the threads, one in memory does not")
  func elements() throws {
    var plan = try plan("--formats", "mxfp4", "--direction", "encode")
    plan.threadCounts = [1, 2]
    let counts = try rows(plan).map { $0["elements"] as? Int }
    #expect(counts == [128, 256, 512, 512])
  }

  @Test("Debug builds are refused, optimised ones are not")
  func debugBuilds() throws {
    try TimingOptions.requireOptimised(.release, "speed")
    #expect {
      try TimingOptions.requireOptimised(.debug, "speed")
    } throws: { error in
      (error as? CommandError)?.exitStatus == .usage
        && (error as? CommandError)?.message.contains("debug build") == true
    }
    guard BuildFacts.configuration == .debug else { return }
    let result = runFmtbench(["speed", "--formats", "mxfp4"])
    #expect(result.status == .usage && result.stdout.isEmpty)
    #expect(result.stderr.contains("swift build -c release"))
  }

  @Test("Levels of other machines, unknown directions and axes are usage errors")
  func usageErrors() {
    let foreign = KernelLevel.allCases.first { !KernelLevel.supported.contains($0) }
    for (words, message) in [
      (["--level", foreign?.id ?? ""], "does not support kernel level"),
      (["--level", "avx513"], "did you mean 'avx512'?"),
      (["--direction", "encod"], "did you mean 'encode'?"),
      (["--placement", "l3"], "did you mean 'l2'?"),
      (["--axis", "2"], "--axis"), (["--threads", "0"], "--threads"),
      (["--repeats", "0"], "--repeats"),
    ] {
      let result = runFmtbench(["speed"] + words)
      #expect(result.status == .usage)
      #expect(result.stderr.contains(message), "\(result.stderr)")
    }
  }
}
