/// The part of an option's declaration that parser and help need, without its type.
package struct OptionSpecification: Sendable {
  /// How many values an option takes.
  package enum Arity: Sendable {
    /// None: the option is there or not.
    case flag
    /// Exactly one, and the option is given at most once.
    case single
    /// A comma list, and the option may be repeated.
    case list
  }

  /// What happens when the option is not given.
  package enum Absence: Sendable, Equatable {
    case allowed
    case refused
    case replaced(by: String)
  }

  /// The name without its dashes.
  package var name: String
  /// The letter that stands for the name after a single dash; nil for none.
  package var letter: Character? = nil
  var arity: Arity
  package var absence: Absence
  /// Stands for the value in the help; empty for a flag.
  package var placeholder: String
  /// The names the help lists.
  package var choices: [String]
  /// One or two sentences without a final full stop.
  package var help: String

  /// The name with its dashes.
  package var spelling: String { "--" + name }

  /// Every way to write it, such as `-o, --output`.
  var spellings: String { letter.map { "-\($0), " + spelling } ?? spelling }
}

/// An option of a command, whatever the type of its value.
package protocol OptionDeclaration: Sendable {
  /// Name, arity and help.
  var specification: OptionSpecification { get }
  /// Turns the texts given for this option, in order, into its value.
  func interpret(_ texts: [String]) throws(CommandError) -> any Sendable
}

/// An option whose value has the type `Result`; `ParsedArguments` returns it by subscript.
///
/// Declared once as a static constant of its command: parsing, error messages and help all follow
/// from that declaration.
package struct Option<Result: Sendable>: OptionDeclaration {
  package let specification: OptionSpecification
  private let convert: @Sendable ([String]) throws(ValueFailure) -> Result
  private let accepted: String

  package func interpret(_ texts: [String]) throws(CommandError) -> any Sendable {
    do {
      return Interpreted(value: try convert(texts))
    } catch {
      throw error.commandError(
        specification.spelling, text: texts.joined(separator: ","), accepted: accepted)
    }
  }
}

extension Option {
  /// The value that a text from elsewhere, such as a file, has for this option.
  package func value(of text: String) throws(CommandError) -> Result {
    do {
      return try convert([text])
    } catch {
      throw error.commandError(specification.name, text: text, accepted: accepted)
    }
  }
}

/// A value together with its static type, so that an optional survives storage in an `any`.
struct Interpreted<Value: Sendable>: Sendable {
  let value: Value
}

extension Option {
  /// An option without a value; true when given.
  package static func flag(
    _ name: String, letter: Character? = nil, help: String
  ) -> Option where Result == Bool {
    Option(
      specification: OptionSpecification(
        name: name, letter: letter, arity: .flag, absence: .allowed, placeholder: "", choices: [],
        help: help),
      convert: { (texts) throws(ValueFailure) in !texts.isEmpty }, accepted: "")
  }

  /// An option that may be left out; nil then.
  package static func optional<Value>(
    _ name: String, _ kind: ValueKind<Value>, help: String
  ) -> Option where Result == Value? {
    Option(
      specification: .init(name, .single, .allowed, kind, help),
      convert: { (texts) throws(ValueFailure) in
        guard let text = texts.last else { return nil }
        return try kind.parse(text)
      }, accepted: kind.accepted)
  }

  /// An option that must be given.
  package static func required(
    _ name: String, letter: Character? = nil, _ kind: ValueKind<Result>, help: String
  ) -> Option {
    Option(
      specification: .init(name, letter: letter, .single, .refused, kind, help),
      convert: { (texts) throws(ValueFailure) in try kind.parse(texts.last ?? "") },
      accepted: kind.accepted)
  }

  /// An option with a default, written as the user would write it and shown in the help.
  package static func defaulted(
    _ name: String, _ kind: ValueKind<Result>, default text: String, help: String
  ) -> Option {
    Option(
      specification: .init(name, .single, .replaced(by: text), kind, help),
      convert: { (texts) throws(ValueFailure) in try kind.parse(texts.last ?? text) },
      accepted: kind.accepted)
  }

  /// A comma list that may also be given piecewise by repeating the option; empty without default.
  package static func list<Value>(
    _ name: String, _ kind: ValueKind<Value>, default text: String? = nil, help: String
  ) -> Option where Result == [Value] {
    Option(
      specification: .init(
        name, .list, text.map { .replaced(by: $0) } ?? .allowed, kind, help),
      convert: { (texts) throws(ValueFailure) in
        var values: [Value] = []
        let given = texts.isEmpty ? text.map { [$0] } ?? [] : texts
        for list in given {
          for item in try ItemList.split(list) {
            values.append(try kind.value(ofItem: item))
          }
        }
        return values
      }, accepted: kind.accepted)
  }
}

extension OptionSpecification {
  fileprivate init<Value>(
    _ name: String, letter: Character? = nil, _ arity: Arity, _ absence: Absence,
    _ kind: ValueKind<Value>, _ help: String
  ) {
    self.init(
      name: name, letter: letter, arity: arity, absence: absence,
      placeholder: arity == .list ? kind.placeholder + ",..." : kind.placeholder,
      choices: kind.choices, help: help)
  }
}

extension ValueKind {
  /// The value of one item of a list, whose failure names the item and not the list.
  fileprivate func value(ofItem item: String) throws(ValueFailure) -> Value {
    do {
      return try parse(item)
    } catch {
      throw error == .notAccepted ? .explained("'\(item)' is not \(accepted)") : error
    }
  }
}
