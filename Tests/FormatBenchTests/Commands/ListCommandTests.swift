import BlockFormats
import Foundation
import Testing

@testable import FormatBench

@Suite("fmtbench list")
struct ListCommandTests {
  @Test("Vector kernels cover every default format, and all others but scales without a sign")
  func kernels() throws {
    let result = runFmtbench(["list", "--json"])
    #expect(result.status == .done && result.stderr.isEmpty)
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(result.stdout.utf8)) as? [String: Any])
    let rows = try #require(object["rows"] as? [[String: Any]])
    var kernels: [String: String] = [:]
    for row in rows { kernels[try #require(row["id"] as? String)] = row["kernels"] as? String }
    #expect(kernels.count == FormatCatalog.all.count)
    for format in FormatCatalog.standard { #expect(kernels[format.id] == "all", "\(format.id)") }
    #expect(
      kernels.filter { $0.value != "all" }
        == ["e8m0fnu": "none", "ue4m3": "none", "ue5m3": "none", "ue5m3_61440": "none"])
  }

  @Test("Scale rules that have no vector form are named")
  func partialCoverage() throws {
    // Searching tries several scales, which kernels do for codes of up to eight bits.
    let format = try FormatCatalog.format(id: "mx(element=float(e=5,m=10))")
    let searches = PowerOfTwoRule.allCases.map { ScaleRule.search(around: $0).id }
    #expect(KernelCoverage(of: format) == .allBut(searches))
    #expect(
      KernelCoverage(of: format).text
        == "all but search, search(ceil), search(rceil), search(even), search(nearest_log2)")
  }

  @Test("Choices that fall back together are named together, and whole ones alone")
  func names() {
    let policies = KernelCoverage.policies(of: SharedExponentFormat.mxfp4)
    // Ten scale rules, seven roundings, two overflow rules.
    #expect(policies.count == 10 * 7 * 2)
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
