/// A tool with subcommands: finds the command, parses, runs it and reports its error.
package struct CommandLineTool: Sendable {
  package let name: String
  package let version: String
  /// What the tool is for, without a final full stop.
  package let abstract: String
  package let examples: [CommandDeclaration.Example]
  package let commands: [any Command.Type]

  /// A tool.
  ///
  /// - Parameters:
  ///   - name: The name of the program.
  ///   - version: Its version.
  ///   - abstract: What it is for, without a final full stop.
  ///   - examples: The command lines that its help begins with.
  ///   - commands: Its commands, in the order of the help.
  package init(
    name: String, version: String, abstract: String, examples: [CommandDeclaration.Example],
    commands: [any Command.Type]
  ) {
    self.name = name
    self.version = version
    self.abstract = abstract
    self.examples = examples
    self.commands = commands
  }

  /// The declarations of all commands in the order of the help, `help` included.
  package var declarations: [CommandDeclaration] {
    commands.map { $0.declaration } + [Self.help]
  }

  /// Runs one command line, without the name of the program.
  ///
  /// Without any word it prints the help and is done: asking what a tool can do is not an error.
  ///
  /// - Returns: the status to exit with; also when standard output could not be written.
  package func run(_ words: [String], _ console: Console) -> ExitStatus {
    var status: ExitStatus
    do {
      status = try dispatch(words, console)
    } catch {
      console.report(error)
      status = error.exitStatus
    }
    if let failure = console.finish() {
      console.report(failure)
      status = failure.exitStatus
    }
    return status
  }

  private func dispatch(
    _ words: [String], _ console: Console
  ) throws(CommandError) -> ExitStatus {
    guard let first = words.first else {
      console.write(HelpText.text(of: self))
      return .done
    }
    switch first {
    case "--version":
      console.write("\(name) \(version)\n")
      return .done
    case "--help", "-h":
      console.write(HelpText.text(of: self))
      return .done
    case Self.help.name:
      return try showHelp(words.dropFirst(), console)
    case let first where first.hasPrefix("-"):
      throw .usage(
        "unknown option '\(first)'"
          + Suggestion.question(for: first, in: ["--help", "--version"]),
        hint: "the options of a command follow its name: \(name) COMMAND \(first)")
    default:
      return try run(command(named: first), words.dropFirst(), console)
    }
  }

  private func run(
    _ command: any Command.Type, _ words: ArraySlice<String>, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    let declaration = command.declaration
    guard !ArgumentParser.asksForHelp(words) else {
      console.write(HelpText.text(of: declaration, tool: name))
      return .done
    }
    let arguments = try parse(words, as: declaration)
    if arguments[CommandDeclaration.quiet] { console.silence() }
    return try command.run(arguments, console)
  }

  /// Parses, and points to the command's help where an error says nothing of its own about it.
  private func parse(
    _ words: ArraySlice<String>, as declaration: CommandDeclaration
  ) throws(CommandError) -> ParsedArguments {
    do {
      return try ArgumentParser(declaration: declaration).parse(words)
    } catch .usage(let message, hint: nil) {
      throw .usage(message, hint: "see '\(name) \(declaration.name) --help'")
    } catch {
      throw error
    }
  }

  private func command(named word: String) throws(CommandError) -> any Command.Type {
    if let command = commands.first(where: { $0.declaration.name == word }) { return command }
    throw unknownCommand(word)
  }

  private func unknownCommand(_ word: String) -> CommandError {
    let names = declarations.map(\.name)
    return .usage(
      "unknown command '\(word)'" + Suggestion.question(for: word, in: names),
      hint: "see '\(name) --help'")
  }
}

extension CommandLineTool {
  private static let topic = Argument.optional(
    "COMMAND", .text("COMMAND"), help: "the command to explain; all of them without it")

  private static let help = CommandDeclaration(
    name: "help", abstract: "Shows what a command does and takes", output: .text,
    arguments: [topic])

  private func showHelp(
    _ words: ArraySlice<String>, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    var subject: CommandDeclaration?
    if ArgumentParser.asksForHelp(words) {
      subject = Self.help
    } else if let word = try parse(words, as: Self.help)[Self.topic] {
      subject = declarations.first { $0.name == word }
      guard subject != nil else { throw unknownCommand(word) }
    }
    console.write(
      subject.map { HelpText.text(of: $0, tool: name) } ?? HelpText.text(of: self))
    return .done
  }
}
