/// The part of a positional argument's declaration that parser and help need, without its type.
package struct ArgumentSpecification: Sendable {
  /// How many words an argument stands for.
  package enum Count: Sendable {
    case one
    case zeroOrOne
    case oneOrMore
    case zeroOrMore

    /// Whether leaving it out is an error.
    var isRequired: Bool { self == .one || self == .oneOrMore }
    /// Whether it takes all the words that are left.
    var isUnbounded: Bool { self == .oneOrMore || self == .zeroOrMore }
  }

  /// The name in usage lines and errors, in capitals.
  package var name: String
  package var count: Count
  /// One or two sentences without a final full stop.
  package var help: String

  /// The form in a usage line.
  package var usage: String {
    switch count {
    case .one: name
    case .zeroOrOne: "[\(name)]"
    case .oneOrMore: "\(name)..."
    case .zeroOrMore: "[\(name)...]"
    }
  }
}

/// A positional argument of a command, whatever the type of its value.
package protocol ArgumentDeclaration: Sendable {
  /// Name, count and help.
  var specification: ArgumentSpecification { get }
  /// Turns the words given for this argument, in order, into its value.
  func interpret(_ texts: [String]) throws(CommandError) -> any Sendable
}

/// A positional argument whose value has the type `Result`.
package struct Argument<Result: Sendable>: ArgumentDeclaration {
  package let specification: ArgumentSpecification
  private let convert: @Sendable ([String]) throws(CommandError) -> Result

  package func interpret(_ texts: [String]) throws(CommandError) -> any Sendable {
    Interpreted(value: try convert(texts))
  }
}

extension Argument {
  /// Exactly one word.
  package static func required(
    _ name: String, _ kind: ValueKind<Result>, help: String
  ) -> Argument {
    Argument(specification: ArgumentSpecification(name: name, count: .one, help: help)) {
      (texts) throws(CommandError) in
      try kind.value(of: texts.first ?? "", named: name)
    }
  }

  /// At most one word; nil when left out.
  package static func optional<Value>(
    _ name: String, _ kind: ValueKind<Value>, help: String
  ) -> Argument where Result == Value? {
    Argument(specification: ArgumentSpecification(name: name, count: .zeroOrOne, help: help)) {
      (texts) throws(CommandError) in
      guard let text = texts.first else { return nil }
      return try kind.value(of: text, named: name)
    }
  }

  /// All words that are left, at least one.
  package static func oneOrMore<Value>(
    _ name: String, _ kind: ValueKind<Value>, help: String
  ) -> Argument where Result == [Value] {
    many(name, .oneOrMore, kind, help)
  }

  /// All words that are left, possibly none.
  package static func zeroOrMore<Value>(
    _ name: String, _ kind: ValueKind<Value>, help: String
  ) -> Argument where Result == [Value] {
    many(name, .zeroOrMore, kind, help)
  }

  private static func many<Value>(
    _ name: String, _ count: ArgumentSpecification.Count, _ kind: ValueKind<Value>, _ help: String
  ) -> Argument where Result == [Value] {
    Argument(specification: ArgumentSpecification(name: name, count: count, help: help)) {
      (texts) throws(CommandError) in
      var values: [Value] = []
      for text in texts { values.append(try kind.value(of: text, named: name)) }
      return values
    }
  }
}

extension ValueKind {
  fileprivate func value(of text: String, named name: String) throws(CommandError) -> Value {
    do {
      return try parse(text)
    } catch {
      switch error {
      case .notAccepted: throw .usage("\(name): '\(text)' is not \(accepted)")
      case .explained(let message, let hint): throw .usage(message, hint: hint)
      case .file(let message): throw .input(message)
      }
    }
  }
}
