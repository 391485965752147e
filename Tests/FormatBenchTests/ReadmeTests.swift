import BlockFormats
import CommandLineTestSupport
import CommandLineToolkit
import Foundation
import Testing

@testable import FormatBench

@Suite("What the README and the benchmarks show")
struct ReadmeTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  private func text(_ path: String) throws -> String {
    try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
  }

  /// The blocks of the README that are fenced as `language`.
  private func blocks(_ language: String) throws -> [String] {
    let parts = try text("README.md").split(separator: "```\(language)\n").dropFirst()
    return try parts.map { String(try #require($0.split(separator: "```").first)) }
  }

  @Test("Its examples in Swift, one below the other, are the program that the build compiles")
  func snippets() throws {
    let snippets = try blocks("swift").filter { !$0.hasPrefix("// Package.swift\n") }
    #expect(snippets.count == 3)
    let program = try text("Tests/ReadmeExample/main.swift")
      .split(separator: "\n\n", maxSplits: 1)
    #expect(program.count == 2 && program[0].hasPrefix("// "))
    #expect(program[1] == snippets.joined(separator: "\n"))
  }

  @Test("The products and modules it names are those of the package")
  func products() throws {
    let package = try text("Package.swift")
    let manifests = try blocks("swift").filter { $0.hasPrefix("// Package.swift\n") }
    let products = manifests.flatMap { manifest in
      manifest.matches(of: /product\(name: "(\w+)", package: "(\w+)"\)/).map { ($0.1, $0.2) }
    }
    #expect(products.count == 3)
    for (product, name) in products {
      #expect(package.contains(".library(name: \"\(product)\""))
      #expect(package.contains("name: \"\(name)\","))
    }
    let imports = try blocks("swift").joined().matches(of: /import (\w+)/).map { $0.1 }
    #expect(Set(imports) == Set(products.map(\.0)))
  }

  @Test("The excerpt of fmtbench compare has its headings, and rows of the standard formats")
  func excerpt() throws {
    let block = try #require(try blocks("text").first)
    let shown = block.split(separator: "\n").map(String.init)
    let printed = runFmtbench(["compare", "--vectors", "2"]).stdout.split(separator: "\n")
      .map(String.init)
    let rule = try #require(shown.firstIndex { $0.hasPrefix("---") })
    for line in shown[...rule] { #expect(printed.contains(line), "\(line)") }
    let formats = shown[(rule + 1)...].map { String($0.prefix { $0 != " " }) }
    #expect(formats.count >= 4)
    for format in formats where format != "..." {
      #expect(FormatCatalog.standard.contains { $0.id == format }, "\(format)")
    }
  }

  @Test("The table of samples under Benchmarks follows from its command, at any kernel level")
  func qualityTable() throws {
    // Two of its rows here; .ci/run makes the whole of it again.
    let kept = try text("Benchmarks/quality/distributions.md").split(separator: "\n")
    let made = runFmtbench([
      "compare", "--distribution", "normal", "--formats", "mxfp4,nvfp4", "--markdown",
    ]).stdout.split(separator: "\n").filter { !$0.hasPrefix("| total ") }
    let rows = made.filter { $0.hasPrefix("| normal ") }
    #expect(rows.count == 2)
    for row in rows { #expect(kept.contains(row), "\(row)") }
    func keys(_ lines: [Substring]) -> [Substring] {
      lines.filter { $0.hasPrefix("- ") }.map { $0.prefix { $0 != ":" } }
    }
    #expect(keys(made) == keys(kept))
    #expect(made.contains { $0.hasPrefix("| Tensor ") && kept.contains($0) })
  }

  @Test("Tables to be kept tell the machine exactly where their numbers are times")
  func machineFacts() {
    let compare = ["compare", "--distribution", "normal", "--vectors", "1", "--formats", "mxfp4"]
    for words in [compare, ["list"], ["show", "mxfp4"], ["explain", "mxfp4", "1"]] {
      let markdown = runFmtbench(words + ["--markdown"])
      #expect(markdown.status == .done && !markdown.stdout.contains("kernel_level"), "\(words)")
    }
    #expect(runFmtbench(["version", "--markdown"]).stdout.contains("- kernel_level"))
    // Programs that read JSON are told where it was made.
    #expect(runFmtbench(compare + ["--json"]).stdout.contains("\"kernel_level\": "))
  }
}
