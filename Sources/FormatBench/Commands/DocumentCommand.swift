import BlockFormats
import CommandLineToolkit
import Foundation
import TensorFiles

/// Checks or rewrites the generated tables of the format reference.
enum DocumentCommand: Command {
  static let file = Argument<String>.required(
    "FILE", .path, help: "the reference, such as FORMATS.md")
  static let check = Option<Bool>.flag(
    "check", help: "fail if a table drifted; what happens without an option")
  static let write = Option<Bool>.flag(
    "write", help: "replace the tables that drifted instead of failing")

  static let declaration = CommandDeclaration(
    name: "document", abstract: "Checks the generated tables of the format reference",
    output: .text, arguments: [file], options: [check, write],
    rules: [.excludes(check, write)],
    examples: [
      .init(line: "document FORMATS.md --check", purpose: "fails if a table drifted"),
      .init(line: "document FORMATS.md --write", purpose: "brings the tables up to date"),
    ],
    discussion: [
      """
      A table stands between the lines '<!-- generated: NAME -->' and '<!-- end -->'; everything \
      else is left as it is. A format of the catalog without a table is an error.
      """
    ])

  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    let path = arguments[file]
    guard let data = FileManager.default.contents(atPath: path),
      let text = String(bytes: data, encoding: .utf8)
    else { throw .input("\(path): not a readable text file") }
    let (updated, drifted) = try regenerated(text, path: path)
    if !drifted.isEmpty {
      guard arguments[write] else {
        throw .checkFailed(
          "\(path): \(drifted.count) of the tables drifted, first '\(drifted[0])'; "
            + "run 'fmtbench document \(path) --write'")
      }
      try CommandError.bridgingFileFailures { () throws(TensorFileError) in
        try AtomicFileWriter.write(updated, to: path)
      }
    }
    let outcome = drifted.isEmpty ? "up to date" : "\(drifted.count) tables rewritten"
    console.write("\(TextLayout.escaped(path)): \(outcome)\n")
    return .done
  }

  /// The text with current tables, and the names of those that were not.
  private static func regenerated(
    _ text: String, path: String
  ) throws(CommandError) -> (text: String, drifted: [String]) {
    let document: GeneratedDocument
    do throws(DocumentError) {
      document = try GeneratedDocument(text)
    } catch {
      throw .input("\(path): \(error)")
    }
    let missing = FormatReference.missingFormats(in: document.regionNames)
    guard missing.isEmpty else {
      throw .checkFailed("\(path) has no section for \(missing.joined(separator: ", "))")
    }
    do throws(DocumentError) {
      return try document.updated(FormatReference.content)
    } catch {
      throw .input("\(path): \(error)")
    }
  }
}
