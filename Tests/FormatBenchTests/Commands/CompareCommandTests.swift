import BlockFormats
import CommandLineTestSupport
import CommandLineToolkit
import FormatMetrics
import Foundation
import TensorFiles
import Testing

@testable import FormatBench

@Suite("fmtbench compare")
struct CompareCommandTests {
  static let keys: Set<String> = [
    "tensor", "format", "scale_rule", "rounding", "bits_per_element", "qsnr_db", "mse",
    "max_abs_error", "gain", "underflow_percent", "saturation_percent", "exact_block_percent",
  ]

  @Test("Every row of the default set has every key, for each sample and in total")
  func everyRowIsComplete() throws {
    let rows = try comparedRows(["--vectors", "4", "--length", "64"])
    let expected = FormatCatalog.standard.count * (Distribution.allNamed.count + 1)
    #expect(rows.count == expected)
    for row in rows { #expect(Set(row.keys) == Self.keys) }
    #expect(
      rows.filter { $0["tensor"] as? String == "total" }.count == FormatCatalog.standard.count)
  }

  @Test("The default set is the documented one, in order")
  func defaultSet() throws {
    let rows = try comparedRows(["--vectors", "1", "--length", "16", "--distribution", "normal"])
    let ids = rows.prefix(FormatCatalog.standard.count).compactMap { $0["format"] as? String }
    #expect(
      ids == [
        "mxfp8_e4m3", "mxfp8_e5m2", "mxfp6_e2m3", "mxfp6_e3m2", "mxfp4", "mxint8", "mx9", "mx6",
        "mx4", "msfp12", "msfp16", "nvfp4", "nvfp4_2d", "nvfp4_4over6", "fp8_e4m3_tensor",
        "fp8_e4m3_row", "fp8_e4m3_1x128", "fp8_e4m3_128x128", "fp8_e5m2_tensor", "fp8_e5m2_row",
        "fp8_e5m2_1x128", "fp8_e5m2_128x128", "int8_row", "bf16",
      ])
  }

  @Test("QSNR, gain and bits of a file equal those computed from its elements one by one")
  func agreesWithDirectComputation() throws {
    let folder = try TemporaryFolder()
    let values = (0..<96).map { Float(($0 * 37) % 61) - 30.25 }
    try NpyWriter.write(floats: values, shape: [3, 32], to: folder.path("a.npy"))
    let rows = try comparedRows([folder.path("a.npy"), "--formats", "mxfp4"])
    let decoded = Tensor(values, shape: [3, 32]).quantized(to: .mxfp4).dequantized().elements
    var (signal, noise, product) = (0.0, 0.0, 0.0)
    for (x, y) in zip(values, decoded) {
      signal += Double(x) * Double(x)
      noise += (Double(y) - Double(x)) * (Double(y) - Double(x))
      product += Double(x) * Double(y)
    }
    // The values are multiples of 1/4 below 2^6, so every sum above is exact and has one value.
    let row = try #require(rows.first)
    #expect(row["tensor"] as? String == "a.npy")
    #expect(row["bits_per_element"] as? Double == 4.25)
    #expect(row["mse"] as? Double == noise / 96)
    // Read as text: Foundation's JSONSerialization does not round every decimal correctly.
    let text = runFmtbench(["compare", folder.path("a.npy"), "--formats", "mxfp4", "--json"]).stdout
    #expect(text.contains("\"gain\": \(product / signal),"))
    let qsnr = try #require(row["qsnr_db"] as? Double)
    // Two correctly rounded logarithms differ by at most a few units in the last place.
    #expect(abs(qsnr - 10 * log10(signal / noise)) < 1e-12)
    #expect(rows.last?["tensor"] as? String == "total")
  }

  @Test("Rules and roundings are swept; a format without the rule keeps its own, with a warning")
  func sweeps() throws {
    let arguments = [
      "compare", "--distribution", "normal", "--vectors", "2", "--length", "64", "--formats",
      "mxfp4,nvfp4", "--scale-rule", "floor,rceil", "--rounding", "nearest_even,stochastic",
      "--json",
    ]
    let result = runFmtbench(arguments)
    let object = try JSONSerialization.jsonObject(with: Data(result.stdout.utf8))
    let rows = try #require((object as? [String: Any])?["rows"] as? [[String: Any]])
    let found = rows.prefix(6).map {
      [$0["format"], $0["scale_rule"], $0["rounding"]].compactMap { $0 as? String }
    }
    #expect(
      found == [
        ["mxfp4", "floor", "nearest_even"], ["mxfp4", "floor", "stochastic"],
        ["mxfp4", "rceil", "nearest_even"], ["mxfp4", "rceil", "stochastic"],
        ["nvfp4", "amax", "nearest_even"], ["nvfp4", "amax", "stochastic"],
      ])
    #expect(result.stderr.contains("nvfp4"))
    #expect(result.stderr.split(separator: "\n").count == 1)
  }

  @Test("Exact, all-zero, all-NaN and empty tensors give results that say so")
  func degenerateTensors() throws {
    let folder = try TemporaryFolder()
    func row(_ values: [Float], _ shape: [Int]) throws -> [String: Any] {
      try NpyWriter.write(floats: values, shape: shape, to: folder.path("t.npy"))
      return try #require(comparedRows([folder.path("t.npy"), "--formats", "mxfp4"]).first)
    }
    let exact = try row([1, -2, 4, 6], [4])
    #expect(exact["qsnr_db"] as? String == "Infinity")
    #expect(exact["exact_block_percent"] as? Double == 100)
    let zero = try row([0, 0, 0, 0], [2, 2])
    #expect(zero["qsnr_db"] as? String == "NaN")
    #expect(zero["mse"] as? Double == 0)
    let nan = try row([.nan, .nan], [2])
    #expect(nan["mse"] as? String == "NaN")
    #expect(nan["exact_block_percent"] as? Double == 100)
    let empty = try row([], [0, 7])
    #expect(empty["bits_per_element"] as? String == "NaN")
    #expect(empty["exact_block_percent"] as? String == "NaN")
  }

  @Test("Totals over finite tensors stand beside those that a NaN or an infinity has spoilt")
  func nonFiniteTensors() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("m.safetensors")
    let values = (0..<64).map { Float($0) * 0.37 - 9 }
    func tensor(_ name: String, _ changes: [Int: Float] = [:]) -> TensorData {
      var values = values
      for (index, value) in changes { values[index] = value }
      return TensorData(name: name, shape: [2, 32], values)
    }
    // Values that a format makes infinite, or that are zero, spoil nothing.
    try SafetensorsWriter.write(
      [
        tensor("a"), tensor("b", [37: -.infinity, 60: .nan]), tensor("c", [0: .nan]), tensor("d"),
        TensorData(name: "e", shape: [0, 32], [] as [Float]),
      ], to: path)
    let result = runFmtbench(["compare", path, "--formats", "mxfp4,bf16", "--json"])
    #expect(
      result.stderr
        == """
        fmtbench: warning: 2 of 5 tensors hold NaN or infinity: b[1, 5] is -inf; rows total_finite \
        leave out such tensors

        """)
    let object = try JSONSerialization.jsonObject(with: Data(result.stdout.utf8))
    let report = try #require(object as? [String: Any])
    #expect(report["tensor_count"] as? Int == 5)
    #expect(report["non_finite_tensor_count"] as? Int == 2)
    let rows = try #require(report["rows"] as? [[String: Any]])
    func row(_ name: String) throws -> [String: Any] {
      try #require(rows.first { $0["tensor"] as? String == name })
    }
    for row in rows { #expect(Set(row.keys) == Self.keys) }
    #expect(try row("total")["mse"] as? String == "NaN")
    #expect(try row("b")["mse"] as? String == "NaN")
    // Two equal tensors have the error of one; sums of doubles grow by the same factor.
    #expect(try row("total_finite")["mse"] as? Double == row("a")["mse"] as? Double)
    #expect(try row("total_finite")["qsnr_db"] as? Double == row("a")["qsnr_db"] as? Double)
    #expect(
      rows.suffix(4).compactMap { $0["tensor"] as? String }
        == ["total", "total", "total_finite", "total_finite"])
    // All finite, or none: one kind of totals is all there is.
    try SafetensorsWriter.write([tensor("a"), tensor("d")], to: path)
    let finite = runFmtbench(["compare", path, "--formats", "mxfp4", "--csv"])
    #expect(finite.stderr.isEmpty && !finite.stdout.contains("total_finite"))
    try SafetensorsWriter.write([tensor("a", [3: .nan])], to: path)
    let none = runFmtbench(["compare", path, "--formats", "mxfp4", "--csv"])
    #expect(
      none.stderr == "fmtbench: warning: 1 of 1 tensors holds NaN or infinity: a[0, 3] is nan\n")
    #expect(!none.stdout.contains("total_finite"))
  }

  @Test("Float64 is rounded once and said to be, in both kinds of files and of byte orders")
  func float64() throws {
    let folder = try TemporaryFolder()
    let values = (0..<64).map { Double($0) / 3 - 7 }
    let patterns = values.map(\.bitPattern)
    func npy(_ order: String, _ data: [UInt8]) -> Data {
      let text = "{'descr': '\(order)f8', 'fortran_order': False, 'shape': (2L, 32L), }"
      return Data(
        [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8) + data)
    }
    func bytes(_ pattern: UInt64) -> [UInt8] { withUnsafeBytes(of: pattern) { Array($0) } }
    let little = patterns.flatMap { bytes($0.littleEndian) }
    try npy("<", little).write(to: URL(fileURLWithPath: folder.path("l.npy")))
    try npy(">", patterns.flatMap { bytes($0.bigEndian) })
      .write(to: URL(fileURLWithPath: folder.path("b.npy")))
    try SafetensorsWriter.write(
      [TensorData(name: "w", dtype: .f64, shape: [2, 32], bytes: little)],
      to: folder.path("s.safetensors"))
    try NpyWriter.write(
      floats: values.map { Float($0) }, shape: [2, 32], to: folder.path("single.npy"))
    let single = try comparedRows([folder.path("single.npy"), "--formats", "mxfp4"])
    for name in ["l.npy", "b.npy", "s.safetensors"] {
      let result = runFmtbench(["compare", folder.path(name), "--formats", "mxfp4", "--csv"])
      #expect(
        result.stderr
          == """
          fmtbench: warning: 1 tensor: float64 is rounded once to FP32, to nearest, and infinite \
          beyond its range

          """)
      let row = try #require(comparedRows([folder.path(name), "--formats", "mxfp4"]).first)
      #expect(row["mse"] as? Double == single[0]["mse"] as? Double)
      #expect(row["gain"] as? Double == single[0]["gain"] as? Double)
    }
  }

  @Test("An expression that would take for ever ends in an error, and so does one on a long name")
  func endlessPattern() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("m.safetensors")
    func write(_ name: String) throws {
      try SafetensorsWriter.write([TensorData(name: name, shape: [1], [1] as [Float])], to: path)
    }
    try write(String(repeating: "a", count: 60) + "!")
    let endless = runFmtbench(["compare", path, "--tensor", "^(a+)+$"])
    #expect(endless.status == .usage && endless.stdout.isEmpty)
    #expect(endless.stderr.contains("--tensor: '^(a+)+$' takes too many steps"))
    try write(String(repeating: "a", count: 5000))
    #expect(runFmtbench(["compare", path, "--tensor", "a$"]).status == .input)
    let broken = runFmtbench(["compare", path, "--tensor", "a("])
    #expect(broken.status == .usage)
    #expect(broken.stderr.contains("--tensor: 'a(' is not a regular expression"))
  }

  @Test("A tensor without elements whose extents overflow is passed over")
  func impossibleExtents() throws {
    let folder = try TemporaryFolder()
    let most = "9223372036854775807"
    let header =
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[0,\(most),\(most)],\"data_offsets\":[0,0]}"
      + ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}"
    let length = UInt64(header.utf8.count)
    let bytes = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array(header.utf8)
    try Data(bytes + [0, 0, 0x80, 0x3f])
      .write(to: URL(fileURLWithPath: folder.path("m.safetensors")))
    let result = runFmtbench(["compare", folder.path("m.safetensors"), "--formats", "bf16"])
    #expect(result.status == .done)
    #expect(result.stderr.contains("skipped 1 tensor without elements and with impossible extents"))
  }

  @Test("Tensors of other dtypes are skipped and counted; none left is unreadable input")
  func otherDTypes() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("m.safetensors")
    let floats = TensorData(name: "w", shape: [2, 32], [Float](repeating: 1, count: 64))
    let bytes = TensorData(name: "ids", shape: [3], [1, 2, 3] as [UInt8])
    try SafetensorsWriter.write([floats, bytes], metadata: [:], to: path)
    let result = runFmtbench(["compare", path, "--formats", "mxfp4", "--json"])
    #expect(result.status == .done)
    #expect(result.stderr.contains("skipped 1 tensor (1 U8)"))
    try SafetensorsWriter.write([bytes], metadata: [:], to: path)
    let nothing = runFmtbench(["compare", path])
    #expect(nothing.status == .input)
    #expect(nothing.stdout.isEmpty)
    #expect(nothing.stderr.contains(path))
  }

  @Test("--tensor selects by regular expression, and totals cover what is selected")
  func tensorSelection() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("m.safetensors")
    let tensors = ["a.weight", "a.bias", "b.weight"].map {
      TensorData(name: $0, shape: [32], (0..<32).map { Float($0) + 0.3 })
    }
    try SafetensorsWriter.write(tensors, metadata: [:], to: path)
    let rows = try comparedRows([path, "--formats", "mxfp4", "--tensor", "weight$"])
    #expect(rows.compactMap { $0["tensor"] as? String } == ["a.weight", "b.weight", "total"])
    #expect(rows[2]["mse"] as? Double == rows[0]["mse"] as? Double)
  }

  @Test("Unknown formats, rules and distributions are usage errors with a suggestion")
  func unknownNames() {
    for (arguments, suggestion) in [
      (["--formats", "mxpf4"], "mxfp4"), (["--scale-rule", "flor"], "floor"),
      (["--rounding", "nearest_evn"], "nearest_even"), (["--distribution", "normel"], "normal"),
    ] {
      let result = runFmtbench(["compare"] + arguments)
      #expect(result.status == .usage)
      #expect(result.stdout.isEmpty)
      #expect(result.stderr.contains("did you mean '\(suggestion)'?"), "\(result.stderr)")
      #expect(result.stderr.split(separator: "\n").count <= 2)
    }
  }

  @Test("A sample too large to hold is a usage error, a --tensor that matches nothing says so")
  func impossibleRequests() throws {
    let sample = runFmtbench(["compare", "--vectors", "10000000", "--length", "1000000"])
    #expect(sample.status == .usage && sample.stderr.contains("10000000000000"))
    let folder = try TemporaryFolder()
    try NpyWriter.write(floats: [1], shape: [1], to: folder.path("a.npy"))
    let unmatched = runFmtbench(["compare", folder.path("a.npy"), "--tensor", "weight"])
    #expect(unmatched.status == .input && unmatched.stderr.contains("1 not matched by --tensor"))
  }

  @Test("The thread count changes no digit")
  func threadCounts() {
    let arguments = ["compare", "--distribution", "bdr", "--vectors", "300", "--json"]
    let one = runFmtbench(arguments + ["--threads", "1"]).stdout
    #expect(one == runFmtbench(arguments + ["--threads", "3"]).stdout)
    #expect(one.contains("\"qsnr_db\""))
  }
}

/// The rows of a comparison's JSON form.
func comparedRows(_ arguments: [String]) throws -> [[String: Any]] {
  let result = runFmtbench(["compare"] + arguments + ["--json"])
  #expect(result.status == .done, "\(result.stderr)")
  let object = try JSONSerialization.jsonObject(with: Data(result.stdout.utf8))
  let report = try #require(object as? [String: Any])
  #expect(report["command"] as? String == "compare")
  #expect(report["version"] is String)
  return try #require(report["rows"] as? [[String: Any]])
}
