import Foundation
import Testing

@Suite("The architecture article")
struct ArchitectureArticleTests {
  private let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Sources")

  /// Everything in single or double backticks.
  private func quotedTerms() throws -> [String] {
    let article = try String(
      contentsOf: sources.appendingPathComponent("BlockFormats/BlockFormats.docc/architecture.md"),
      encoding: .utf8)
    return article.matches(of: /`([^`\n]+)`/).map { String($0.1) }
  }

  @Test("Every file and folder that the article names exists")
  func paths() throws {
    let paths = try quotedTerms().filter { $0.contains("/") && !$0.contains("(") }
      .filter { $0.hasSuffix(".swift") || $0.hasSuffix("/") }
    #expect(paths.count > 10)
    for path in paths {
      let exists = ["", "BlockFormats/"].contains {
        FileManager.default.fileExists(atPath: sources.appendingPathComponent($0 + path).path)
      }
      #expect(exists, "\(path)")
    }
  }

  @Test("Every type and member that the article names is declared somewhere")
  func declarations() throws {
    let files = try #require(FileManager.default.enumerator(atPath: sources.path))
    var text = ""
    for case let file as String in files where file.hasSuffix(".swift") {
      text += try String(contentsOf: sources.appendingPathComponent(file), encoding: .utf8)
    }
    let names = try quotedTerms()
      .compactMap { $0.wholeMatch(of: /([A-Z][A-Za-z0-9]+)(?:[.\/]([a-z][A-Za-z0-9]*).*)?/) }
      .flatMap { [$0.1, $0.2].compactMap { $0 }.map(String.init) }
    #expect(names.count > 40)
    let modules = [
      "BlockFormats", "FormatMetrics", "LowPrecisionTraining", "QuantizedLinearAlgebra",
      "TensorFiles", "FormatBench", "CallerChecks", "CTrainingKernels", "CProductKernels",
      "CBlockKernels", "CKernelLevels", "CommandLineToolkit", "NumericSupport", "StrictJSON",
      "QuantizedCheckpoints", "TrainingRecipes", "UntrustedText",
    ]
    for name in Set(names).subtracting(modules).subtracting(["FORMATS", "Tests", "md", "include"]) {
      let isDeclared = [
        "struct ", "enum ", "protocol ", "class ", "func ", "var ", "let ", "case ",
      ]
      .contains { text.contains($0 + name) }
      #expect(isDeclared, "\(name)")
    }
  }
}
