import BlockFormats
import CommandLineTestSupport
import CommandLineToolkit
import Foundation
import Testing

@testable import FormatBench

@Suite("fmtbench list")
struct ListCommandTests {
  @Test("Vector kernels cover every default format, and nearly all others")
  func kernels() throws {
    let result = runFmtbench(["list", "--json"])
    #expect(result.status == .done && result.stderr.isEmpty)
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(result.stdout.utf8)) as? [String: Any])
    let rows = try #require(object["rows"] as? [[String: Any]])
    var kernels: [String: String] = [:]
    for row in rows { kernels[try #require(row["id"] as? String)] = row["kernels"] as? String }
    #expect(kernels.count == FormatCatalog.all.count)
    let fourOverSix = ["nvfp4", "nvfp4_2d", "nvfp4_4over6"]
    for format in FormatCatalog.standard where !fourOverSix.contains(format.id) {
      #expect(kernels[format.id] == "all", "\(format.id)")
    }
    #expect(
      kernels.filter { $0.value != "all" }
        == Dictionary(
          uniqueKeysWithValues: (["hif8", "e8m0fnu", "ue4m3", "ue5m3", "ue5m3_61440"]
            + Self.ofOtherFields)
            .map { ($0, "none") }
            + ["nf4", "fp4_bnb", "hif4", "tq1_0", "tq2_0", "iq4_nl"]
            .map { ($0, "all but stochastic") }
            + fourOverSix.map { ($0, "all but four_over_six_mae") }))
  }

  /// Formats whose fields no kernel knows.
  private static let ofOtherFields = [
    "mxfp4_oas_mbs", "if4", "nf4_double", "nvfp4_ggml", "q2_k", "q3_k", "q4_k", "q5_k", "q6_k",
  ]

  private func ids(_ words: String...) -> [String] {
    runFmtbench(["list"] + words + ["--csv"]).stdout.split(separator: "\n").dropFirst().map {
      String($0.prefix { $0 != "," })
    }
  }

  @Test("The list fits its width, in a pipe too", arguments: [60, 80, 120])
  func width(columns: Int) {
    let text = runFmtbench(["list"], columns: columns).stdout
    for line in text.split(separator: "\n") {
      #expect(TextLayout.width(line) <= columns, "\(line)")
    }
    for format in FormatCatalog.all { #expect(text.contains("\n\(format.id) ")) }
    if columns == 80 {
      // One line for each format, with a heading and what formats take.
      #expect(text.split(separator: "\n").count < FormatCatalog.all.count + 25)
      #expect(runFmtbench(["list"]).stdout == text)
    }
  }

  @Test("Patterns choose by a part of id, element or source, or by an id with wildcards")
  func patterns() {
    #expect(
      ids("nvfp4") == [
        "nvfp4", "nvfp4_2d", "nvfp4_4over6", "nvfp4_ue5m3", "nvfp4_ue5m3_61440", "nvfp4_ggml",
      ])
    #expect(ids("mx?") == ["mx9", "mx6", "mx4"])
    #expect(ids("*_TENSOR") == ["fp8_e4m3_tensor", "fp8_e5m2_tensor", "int8_tensor"])
    #expect(ids("mx9", "vsq") == ["mx9", "vsq"])
    #expect(ids("2302.08007").contains("mx6"))
    #expect(ids("e2m1fn").contains("mxfp4"))
    // A family that needs parameters has no row, but a note.
    let family = runFmtbench(["list", "bdr"])
    #expect(family.status == .done && family.stdout.contains("bdr(m,k1=16"))
    let unknown = runFmtbench(["list", "mxpf4"])
    #expect(unknown.status == .usage && unknown.stdout.isEmpty)
    #expect(unknown.stderr.contains("no format matches 'mxpf4'; did you mean 'mxfp4'?"))
  }

  @Test("A wildcard pattern takes no more than its length times the name's, whatever it is")
  func wildcards() {
    for (pattern, name, matches) in [
      ("*", "", true), ("?", "", false), ("a*b*c", "aXbXbc", true), ("a*b*c", "aXbXbd", false),
      ("**a", "ba", true), ("a?c", "abc", true), ("A*", "abc", true), ("b", "abc", true),
      ("b*", "abc", false),
    ] {
      #expect(WildcardPattern(pattern).matches(id: name) == matches, "\(pattern) \(name)")
    }
    let hostile = String(repeating: "a*", count: 200) + "b"
    #expect(!WildcardPattern(hostile).matches(id: String(repeating: "a", count: 2000)))
  }

  @Test("--columns chooses what is told, in every form, and other forms tell all by default")
  func columns() {
    let csv = runFmtbench(["list", "mxint4", "--columns", "source,element", "--csv"]).stdout
    #expect(csv == "id,source,element\nmxint4,OCP Microscaling Formats v1.0,mxint4\n")
    let all = runFmtbench(["list", "mxfp4", "--csv"]).stdout
    #expect(
      all.hasPrefix("id,element,block,scale,bits_per_element,largest_element,kernels,source\n"))
    let unknown = runFmtbench(["list", "--columns", "sourze"])
    #expect(unknown.status == .usage && unknown.stderr.contains("did you mean 'source'?"))
  }

  @Test("Scale rules that have no vector form are named")
  func partialCoverage() throws {
    // Searching tries several scales, which kernels do for codes of up to eight bits.
    let format = try FormatCatalog.format(id: "mx(element=float(e=5,m=10))")
    let searches = PowerOfTwoRule.allCases.map { ScaleRule.search(around: $0).id }
    #expect(KernelCoverage(of: format) == .allBut(searches))
    #expect(
      KernelCoverage(of: format).text
        == "all but search, search(ceil), search(rceil), search(even), search(even_e2m1), "
        + "search(nearest_log2), search(oas), search(floor_plus_1)")
  }

  @Test("Choices that fall back together are named together, and whole ones alone")
  func names() {
    let policies = KernelCoverage.policies(of: SharedExponentFormat.mxfp4)
    // Every rule and a search around each, nine roundings, two overflow rules.
    #expect(policies.count == 2 * PowerOfTwoRule.allCases.count * 9 * 2)
    #expect(KernelCoverage(slow: [], among: policies) == .all)
    #expect(KernelCoverage(slow: policies, among: policies) == .none)
    let slow = policies.filter { policy in
      if case .stochastic = policy.rounding { return true }
      return policy.rounding == .up && policy.scaleRule == .powerOfTwo(.even)
        && policy.overflow == .special
    }
    #expect(
      KernelCoverage(slow: slow, among: policies)
        == .allBut(["stochastic", "even with up with special"]))
  }
}
