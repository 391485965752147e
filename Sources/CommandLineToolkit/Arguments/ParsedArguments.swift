import CallerChecks

/// The values of a command line, already checked and typed; no access can fail.
package struct ParsedArguments: Sendable {
  private var values: [String: any Sendable]
  private let command: String
  private let given: Set<String>

  /// The form the report is asked for; the table for commands that write none.
  package let reportFormat: ReportFormat

  /// Interprets the texts of every declared option and argument, given or not.
  ///
  /// - Parameters:
  ///   - declaration: the command.
  ///   - texts: the texts given, by the name of the option or argument.
  package init(
    _ declaration: CommandDeclaration, texts: [String: [String]]
  ) throws(CommandError) {
    command = declaration.name
    given = Set(texts.keys)
    reportFormat = try ReportFormat(given: texts.keys)
    values = [:]
    for option in declaration.options {
      let name = option.specification.name
      values[name] = try option.interpret(texts[name] ?? [])
    }
    for argument in declaration.arguments {
      let name = argument.specification.name
      values[name] = try argument.interpret(texts[name] ?? [])
    }
  }

  /// The value of an option.
  ///
  /// - Precondition: the command declares the option.
  package subscript<Result>(option: Option<Result>) -> Result {
    value(named: option.specification.name)
  }

  /// Whether the command line names an option, even with its default.
  package func isGiven(_ option: some OptionDeclaration) -> Bool {
    given.contains(option.specification.name)
  }

  /// The value of a positional argument.
  ///
  /// - Precondition: the command declares the argument.
  package subscript<Result>(argument: Argument<Result>) -> Result {
    value(named: argument.specification.name)
  }

  private func value<Result: Sendable>(named name: String) -> Result {
    guard let interpreted = values[name] as? Interpreted<Result> else {
      refuse("command '\(command)' declares no '\(name)' of type \(Result.self)")
    }
    return interpreted.value
  }
}
