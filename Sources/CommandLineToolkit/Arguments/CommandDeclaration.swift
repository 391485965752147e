import CallerChecks

/// The one declaration from which parsing, error messages and help of a command follow.
package struct CommandDeclaration: Sendable {
  /// What a command writes to standard output.
  package enum Output: Sendable {
    /// Text of its own form, or nothing.
    case text
    /// A `Report`; the command has the options of `ReportFormat`.
    case report
  }

  /// A command line worth trying.
  package struct Example: Sendable {
    /// What follows the name of the tool.
    package var line: String
    /// What it does, in a few words.
    package var purpose: String

    /// An example.
    package init(line: String, purpose: String) {
      self.line = line
      self.purpose = purpose
    }
  }

  package let name: String
  /// One line in the third person, without a final full stop.
  package let abstract: String
  package let arguments: [any ArgumentDeclaration]
  /// All options, those of `ReportFormat` and `quiet` included.
  package let options: [any OptionDeclaration]
  /// Which options mean something only with, or without, another.
  package let rules: [OptionRule]
  package let output: Output
  package let examples: [Example]
  /// Further paragraphs of help.
  package let discussion: [String]

  /// Leaves progress and notes out; every command has it.
  package static let quiet = Option.flag(
    "quiet", letter: "q", help: "no progress and no notes, only warnings and errors")

  /// Declares a command.
  ///
  /// - Precondition: names are not repeated, only the last argument may be left out or repeat, and
  ///   rules are about what the command declares.
  package init(
    name: String, abstract: String, output: Output,
    arguments: [any ArgumentDeclaration] = [], options: [any OptionDeclaration] = [],
    rules: [OptionRule] = [], examples: [Example] = [], discussion: [String] = []
  ) {
    self.name = name
    self.abstract = abstract
    self.arguments = arguments
    self.options = options + (output == .report ? ReportFormat.options : []) + [Self.quiet]
    self.rules = rules
    self.output = output
    self.examples = examples
    self.discussion = discussion

    let letters = self.options.compactMap(\.specification.letter).map(String.init)
    let names =
      self.options.map(\.specification.name) + arguments.map(\.specification.name) + letters
    require(
      Set(names + ["help", "h"]).count == names.count + 2,
      "command '\(name)' declares a name twice, or '--help': \(names)")
    require(
      arguments.dropLast().allSatisfy { $0.specification.count == .one },
      "command '\(name)': only the last argument may be optional or repeat")
    require(
      rules.allSatisfy { names.contains($0.option.name) && names.contains($0.otherName) },
      "command '\(name)': a rule names what is not declared")
  }
}
