/// The help of a command or of the whole tool, at most 80 columns wide.
enum HelpText {
  private static let indentation = "  "
  /// The column in which descriptions begin.
  private static let descriptionColumn = 26

  /// The help of one command.
  static func text(of command: CommandDeclaration, tool: String) -> String {
    var sections = [TextLayout.wrapped(command.abstract + ".", width: TextLayout.pageWidth)]
    sections.append(usage(of: command, tool: tool))
    if !command.examples.isEmpty {
      let lines = command.examples.flatMap { example -> [String] in
        [indentation + "# " + example.purpose, indentation + tool + " " + example.line]
      }
      sections.append(["Examples:"] + lines)
    }
    if !command.arguments.isEmpty {
      let specifications = command.arguments.map(\.specification)
      sections.append(["Arguments:"] + specifications.flatMap { entry($0.name, $0.help) })
    }
    var options = command.options.flatMap { entry(for: $0.specification, command.rules) }
    options += entry("-h, --help", "show this help")
    sections.append(["Options:"] + options)
    sections += command.discussion.map {
      TextLayout.wrappedLines($0, width: TextLayout.pageWidth)
    }
    return joined(sections)
  }

  /// The help of the tool: what it is for, how to start, its commands.
  static func text(of tool: CommandLineTool) -> String {
    var sections = [TextLayout.wrapped(tool.abstract + ".", width: TextLayout.pageWidth)]
    sections.append(["Usage: \(tool.name) COMMAND [ARGUMENTS]"])
    if !tool.examples.isEmpty {
      sections.append(
        ["To begin:"] + tool.examples.flatMap { entry(tool.name + " " + $0.line, $0.purpose) })
    }
    sections.append(
      ["Commands:"] + tool.declarations.flatMap { entry($0.name, $0.abstract) })
    sections.append(
      ["Options:"] + entry("--version", "show the version")
        + entry("-h, --help", "show this help, or a command's after its name"))
    let statuses = ExitStatus.allCases.map { "\($0.rawValue) \($0.summary)" }
    sections.append(
      TextLayout.wrapped(
        "Exit status: " + statuses.joined(separator: "; ") + ".", width: TextLayout.pageWidth))
    return joined(sections)
  }

  private static func usage(of command: CommandDeclaration, tool: String) -> [String] {
    var words = ["Usage:", tool, command.name]
    words += command.options.map(\.specification).filter { $0.absence == .refused }
      .map { "\($0.spelling)=\($0.placeholder)" }
    if command.options.contains(where: { $0.specification.absence != .refused }) {
      words.append("[OPTIONS]")
    }
    words += command.arguments.map(\.specification.usage)
    let lines = TextLayout.wrapped(
      words.joined(separator: " "), width: TextLayout.pageWidth - 7)
    return lines.enumerated().map { $0.offset == 0 ? $0.element : "       " + $0.element }
  }

  private static func entry(
    for option: OptionSpecification, _ rules: [OptionRule]
  ) -> [String] {
    var label = option.spellings
    if !option.placeholder.isEmpty { label += " " + option.placeholder }
    var help = option.help
    if !option.choices.isEmpty { help += ": " + option.choices.joined(separator: ", ") }
    for rule in rules where rule.option.name == option.name {
      help += rule.relation == .needs ? "; needs " : "; not with "
      help += rule.otherSpelling
    }
    switch option.absence {
    case .allowed: break
    case .refused: help += " (required)"
    case .replaced(let text): help += " (default: \(text))"
    }
    return entry(label, help)
  }

  private static func entry(_ label: String, _ help: String) -> [String] {
    let lines = TextLayout.wrapped(help, width: TextLayout.pageWidth - descriptionColumn)
    let margin = String(repeating: " ", count: descriptionColumn)
    let head = indentation + label
    // A label that reaches into the descriptions stands on a line of its own.
    guard TextLayout.width(head) + 2 <= descriptionColumn, let first = lines.first else {
      return [head] + lines.map { margin + $0 }
    }
    let gap = String(repeating: " ", count: descriptionColumn - TextLayout.width(head))
    return [head + gap + first] + lines.dropFirst().map { margin + $0 }
  }

  private static func joined(_ sections: [[String]]) -> String {
    sections.map { $0.joined(separator: "\n") + "\n" }.joined(separator: "\n")
  }
}
