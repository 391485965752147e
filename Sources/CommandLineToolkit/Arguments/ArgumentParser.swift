/// Splits the words after a command's name into options and positional arguments.
///
/// Options are `--name value` or `--name=value` in any place, or `-n value` where they have a
/// letter; `--` ends them. A word that begins
/// with `-` is an option unless a digit or a point follows or it reads as a number (`-1`, `-0.5`,
/// `-inf`), so that negative numbers need no quoting. Names are never abbreviated.
struct ArgumentParser {
  let declaration: CommandDeclaration

  /// Whether help is asked for; it then wins over every error in the same line.
  ///
  /// Looking before parsing is exact, since neither spelling can be the value of an option.
  static func asksForHelp(_ words: some Sequence<String>) -> Bool {
    words.prefix { $0 != "--" }.contains { $0 == "--help" || $0 == "-h" }
  }

  /// The values of the command line.
  ///
  /// - Throws: `CommandError.usage` at the first word that does not fit, or when one is missing.
  func parse(_ words: some Sequence<String>) throws(CommandError) -> ParsedArguments {
    var texts: [String: [String]] = [:]
    var positionals: [String] = []
    var optionsEnded = false
    var iterator = Array(words).makeIterator()
    while let word = iterator.next() {
      if optionsEnded || !Self.looksLikeOption(word) {
        positionals.append(word)
      } else if word == "--" {
        optionsEnded = true
      } else {
        let (spelling, inlineValue) = Self.split(word)
        let option = try specification(spelled: spelling)
        let name = option.name
        let value: String
        if option.arity == .flag {
          guard inlineValue == nil else { throw .usage("\(option.spelling) takes no value") }
          value = ""
        } else if let inlineValue {
          value = inlineValue
        } else {
          value = try Self.separateValue(of: option, iterator.next())
        }
        if option.arity == .single, texts[name] != nil {
          throw .usage("\(option.spelling) is given twice")
        }
        texts[name, default: []].append(value)
      }
    }
    try assign(positionals, to: &texts)
    for option in declaration.options.map(\.specification)
    where option.absence == .refused && texts[option.name] == nil {
      throw .usage("missing option \(option.spelling) \(option.placeholder)")
    }
    for rule in declaration.rules {
      try rule.check { texts[$0].map { !$0.isEmpty } ?? false }
    }
    return try ParsedArguments(declaration, texts: texts)
  }

  private static func looksLikeOption(_ word: String) -> Bool {
    guard word.hasPrefix("-"), let second = word.dropFirst().first else { return false }
    if second == "." || ("0"..."9").contains(second) { return false }
    return Double(word) == nil
  }

  private static func split(_ word: String) -> (spelling: String, value: String?) {
    guard let sign = word.firstIndex(of: "=") else { return (word, nil) }
    return (String(word[..<sign]), String(word[word.index(after: sign)...]))
  }

  private func specification(spelled word: String) throws(CommandError) -> OptionSpecification {
    let known = declaration.options.map(\.specification)
    let found = known.first { option in
      option.spelling == word || option.letter.map { "-\($0)" } == word
    }
    if let found { return found }
    let name = word.drop { $0 == "-" }
    let spellings = known.map(\.spelling) + ["--help"]
    throw .usage(
      "unknown option '\(word)'" + Suggestion.question(for: "--" + name, in: spellings))
  }

  private static func separateValue(
    of option: OptionSpecification, _ word: String?
  ) throws(CommandError) -> String {
    guard let word else {
      throw .usage("\(option.spelling) needs a value: \(option.spelling) \(option.placeholder)")
    }
    guard !looksLikeOption(word) else {
      throw .usage(
        "\(option.spelling) needs a value, and '\(word)' is an option",
        hint: "write \(option.spelling)=\(word) if it is the value")
    }
    return word
  }

  private func assign(
    _ positionals: [String], to texts: inout [String: [String]]
  ) throws(CommandError) {
    var rest = positionals[...]
    for argument in declaration.arguments.map(\.specification) {
      guard !rest.isEmpty || !argument.count.isRequired else {
        throw .usage("missing argument \(argument.name)")
      }
      let words = argument.count.isUnbounded ? rest : rest.prefix(1)
      rest = rest.dropFirst(words.count)
      texts[argument.name] = Array(words)
    }
    guard let extra = rest.first else { return }
    let takes =
      switch declaration.arguments.count {
      case 0: "takes no argument"
      case 1: "takes one argument"
      case let count: "takes \(count) arguments"
      }
    throw .usage("unexpected argument '\(extra)'; '\(declaration.name)' \(takes)")
  }
}
