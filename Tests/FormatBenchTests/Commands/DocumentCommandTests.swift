import BlockFormats
import CommandLineTestSupport
import CommandLineToolkit
import Foundation
import Testing

@testable import FormatBench

@Suite("The format reference")
struct DocumentCommandTests {
  private static let reference = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
    .appending(path: "FORMATS.md").path

  @Test("FORMATS.md agrees with the definitions and covers every format of the catalog")
  func referenceIsCurrent() {
    let result = runFmtbench(["document", Self.reference, "--check"])
    #expect(
      result == RunResult(status: .done, stdout: "\(Self.reference): up to date\n", stderr: ""))
  }

  @Test("Every table that can be generated stands in FORMATS.md, and every headed format exists")
  func nothingIsLeftOut() throws {
    let text = try String(contentsOfFile: Self.reference, encoding: .utf8)
    let document = try GeneratedDocument(text)
    let folder = URL(filePath: Self.reference).deletingLastPathComponent()
    let others = try document.continuations.map {
      try String(contentsOf: folder.appending(path: $0), encoding: .utf8)
    }
    let names = try document.regionNames + others.flatMap { try GeneratedDocument($0).regionNames }
    #expect(Set(names).count == names.count)
    #expect(FormatReference.tableNames.filter { !names.contains($0) } == [])
    for format in FormatCatalog.all where !(format is CastFormat) {
      let hasSheet =
        text.contains("\n### `\(format.id)`\n")
        || others.contains { $0.contains("\n## \(format.id)\n") }
      #expect(hasSheet, "\(format.id) has no heading")
    }
    // What a person reads, with one sheet of each encoder.
    #expect(text.utf8.count < 130_000)
  }

  private func withCopy(_ edit: (String) -> String, _ body: (String) throws -> Void) throws {
    let files = FileManager.default
    let folder = files.temporaryDirectory
      .appending(path: "formats-\(UInt64.random(in: 0...UInt64.max))")
    defer { try? files.removeItem(at: folder) }
    let text = try String(contentsOfFile: Self.reference, encoding: .utf8)
    let source = URL(filePath: Self.reference).deletingLastPathComponent()
    for name in try GeneratedDocument(text).continuations {
      let target = folder.appending(path: name)
      try files.createDirectory(
        at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
      try files.copyItem(at: source.appending(path: name), to: target)
    }
    let path = folder.appending(path: "FORMATS.md").path
    try edit(text).write(toFile: path, atomically: true, encoding: .utf8)
    try body(path)
  }

  @Test("A changed number is a failed check; --write restores it and leaves prose alone")
  func drift() throws {
    let original = try String(contentsOfFile: Self.reference, encoding: .utf8)
    try withCopy({
      $0.replacing("| largest | 448 | 0x7E |", with: "| largest | 449 | 0x7E |", maxReplacements: 1)
    }) { path in
      let check = runFmtbench(["document", path])
      #expect(check.status == .checkFailed && check.stdout.isEmpty)
      #expect(check.stderr.contains("1 of the tables drifted, first 'format fp8_e4m3_tensor'"))
      #expect(
        runFmtbench(["document", path, "--write"]).stdout == "\(path): 1 tables rewritten\n")
      let restored = try String(contentsOfFile: path, encoding: .utf8)
      #expect(restored == original)
    }
  }

  @Test("A format without a section is a failed check that names it")
  func missingSection() throws {
    let cut = { (text: String) -> String in
      guard let start = text.range(of: "<!-- generated: format mx9 -->"),
        let end = text.range(of: "<!-- end -->", range: start.upperBound..<text.endIndex)
      else { return text }
      return text.replacingCharacters(in: start.lowerBound..<end.upperBound, with: "")
    }
    try withCopy(cut) { path in
      let result = runFmtbench(["document", path, "--write"])
      #expect(result.status == .checkFailed)
      #expect(result.stderr == "fmtbench: error: \(path) has no section for mx9\n")
    }
  }

  @Test("Malformed and unknown regions and unreadable files are input errors")
  func malformed() throws {
    #expect(throws: DocumentError.unclosedRegion("a", line: 2)) {
      try GeneratedDocument("x\n<!-- generated: a -->\ny")
    }
    #expect(throws: DocumentError.strayEnd(line: 1)) { try GeneratedDocument("<!-- end -->") }
    try withCopy({ "<!-- continued: nowhere.md -->\n" + $0 }) { path in
      #expect(runFmtbench(["document", path]).status == .input)
    }
    try withCopy({ "<!-- generated: castles -->\n<!-- end -->\n" + $0 }) { path in
      let result = runFmtbench(["document", path])
      #expect(result.status == .input)
      #expect(result.stderr == "fmtbench: error: \(path): no region is named 'castles'\n")
    }
    #expect(runFmtbench(["document", "x.md", "--check", "--write"]).status == .usage)
    #expect(runFmtbench(["document", "/no/such/file.md"]).status == .input)
    #expect(
      runFmtbench(["document", FileManager.default.temporaryDirectory.path]).status == .input)
  }

  @Test("Prose and order survive; only what lies between the markers is replaced")
  func regions() throws {
    let text = "one\n<!-- generated: t -->\nold\n<!-- end -->\ntwo\n"
    let document = try GeneratedDocument(text)
    #expect(document.regionNames == ["t"])
    let content = { (name: String) -> String? in name == "t" ? "new\nlines" : nil }
    let updated = try document.updated(content)
    #expect(updated.text == "one\n<!-- generated: t -->\n\nnew\nlines\n\n<!-- end -->\ntwo\n")
    #expect(updated.drifted == ["t"])
    let again = try GeneratedDocument(updated.text).updated(content)
    #expect(again.text == updated.text && again.drifted.isEmpty)
  }
}
