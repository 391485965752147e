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
      else is left as it is. A line '<!-- continued: PATH -->' names a file that the reference goes \
      on in, from its own folder. A format of the catalog without a table is an error.
      """
    ])

  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    let documents = try documents(arguments[file])
    let drifted = documents.flatMap(\.drifted)
    if let first = documents.first(where: { !$0.drifted.isEmpty }) {
      guard arguments[write] else {
        throw .checkFailed(
          "\(first.path): \(drifted.count) of the tables drifted, first '\(first.drifted[0])'; "
            + "run 'fmtbench document \(arguments[file]) --write'")
      }
      for document in documents where !document.drifted.isEmpty {
        try CommandError.bridgingFileFailures { () throws(TensorFileError) in
          try AtomicFileWriter.write(document.updated, to: document.path)
        }
      }
    }
    let outcome = drifted.isEmpty ? "up to date" : "\(drifted.count) tables rewritten"
    console.write("\(TextLayout.escaped(arguments[file])): \(outcome)\n")
    return .done
  }

  /// A file with current tables, and the names of those that were not.
  private struct Document {
    let path: String
    let updated: String
    let drifted: [String]
  }

  /// The reference and the files that it goes on in; together they have a region for every format.
  private static func documents(_ path: String) throws(CommandError) -> [Document] {
    let reference = try parsed(path)
    let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      .joined(separator: "/")
    var regionNames = reference.regionNames
    var documents = [try regenerated(reference, path)]
    for name in reference.continuations {
      let path = folder.isEmpty ? name : "\(folder)/\(name)"
      let document = try parsed(path)
      regionNames += document.regionNames
      documents.append(try regenerated(document, path))
    }
    let missing = FormatReference.missingFormats(in: regionNames)
    guard missing.isEmpty else {
      throw .checkFailed("\(path) has no section for \(missing.joined(separator: ", "))")
    }
    return documents
  }

  private static func parsed(_ path: String) throws(CommandError) -> GeneratedDocument {
    guard let data = FileManager.default.contents(atPath: path),
      let text = String(bytes: data, encoding: .utf8)
    else { throw .input("\(path): not a readable text file") }
    do throws(DocumentError) {
      return try GeneratedDocument(text)
    } catch {
      throw .input("\(path): \(error)")
    }
  }

  private static func regenerated(
    _ document: GeneratedDocument, _ path: String
  ) throws(CommandError) -> Document {
    do throws(DocumentError) {
      let (text, drifted) = try document.updated(FormatReference.content)
      return Document(path: path, updated: text, drifted: drifted)
    } catch {
      throw .input("\(path): \(error)")
    }
  }
}
