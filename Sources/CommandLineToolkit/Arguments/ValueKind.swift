/// How the text of an option or argument becomes a value, and how the help describes it.
package struct ValueKind<Value: Sendable>: Sendable {
  /// Stands for the value in usage lines, such as `N`.
  package var placeholder: String
  /// Completes "'x' is not …", such as "an integer from 0 to 9".
  package var accepted: String
  /// The names the help lists; empty when there are too many or they are no names.
  package var choices: [String]
  /// Turns the text into the value.
  package var parse: @Sendable (String) throws(ValueFailure) -> Value

  /// A kind of values.
  package init(
    placeholder: String, accepted: String, choices: [String] = [],
    parse: @escaping @Sendable (String) throws(ValueFailure) -> Value
  ) {
    self.placeholder = placeholder
    self.accepted = accepted
    self.choices = choices
    self.parse = parse
  }
}

extension ValueKind<String> {
  /// Any text except the empty one.
  package static func text(_ placeholder: String) -> ValueKind {
    ValueKind(placeholder: placeholder, accepted: "a text of at least one character") {
      (text) throws(ValueFailure) in
      guard !text.isEmpty else { throw .notAccepted }
      return text
    }
  }

  /// The path of a file; whether it exists is found out by whoever opens it.
  package static let path = text("FILE")
}

extension ValueKind<String> {
  /// The key of one of a report's columns.
  package static func column(of keys: [String]) -> ValueKind {
    ValueKind(placeholder: "COLUMN", accepted: "a column", choices: keys) {
      (text) throws(ValueFailure) in
      guard keys.contains(text) else { throw .unknown("column", text, known: keys) }
      return text
    }
  }
}

extension ValueKind<Int> {
  /// A decimal integer within `range`.
  package static func integer(in range: ClosedRange<Int>) -> ValueKind {
    let accepted =
      switch (range.lowerBound, range.upperBound) {
      case (.min, .max): "an integer"
      case (let low, .max): "an integer from \(low) up"
      case (let low, let high): "an integer from \(low) to \(high)"
      }
    return ValueKind(placeholder: "N", accepted: accepted) { (text) throws(ValueFailure) in
      guard let value = Int(text), range.contains(value) else { throw .notAccepted }
      return value
    }
  }
}

extension ValueKind<Double> {
  /// A finite number within `range`.
  package static func number(in range: ClosedRange<Double>) -> ValueKind {
    let bound = { (value: Double) in NumberStyle.general.text(value) }
    let accepted = "a number from \(bound(range.lowerBound)) to \(bound(range.upperBound))"
    return ValueKind(placeholder: "X", accepted: accepted) { (text) throws(ValueFailure) in
      let value: Double = try NumberText(text).value(in: "FP64")
      guard range.contains(value) else { throw .notAccepted }
      return value
    }
  }
}

extension ValueKind<Float> {
  /// Any 32-bit float, `nan` and `inf` included, rounded once from its decimal or hex text.
  package static let float = ValueKind(
    placeholder: "VALUE", accepted: "a number (decimal, hexadecimal such as 0x1p-3, inf or nan)"
  ) { (text) throws(ValueFailure) in
    try NumberText(text).value(in: "FP32")
  }
}

extension ValueKind where Value: CaseIterable & RawRepresentable<String> {
  /// One of the cases of an enum, by raw value; `noun` names the thing in errors.
  package static func choice(_ noun: String, of type: Value.Type) -> ValueKind {
    let names = Value.allCases.map(\.rawValue)
    return ValueKind(
      placeholder: noun.uppercased().replacing(" ", with: "-"),
      accepted: "one of " + names.joined(separator: ", "), choices: names
    ) { (text) throws(ValueFailure) in
      guard let value = Value(rawValue: text) else {
        throw .unknown(noun, text, known: names)
      }
      return value
    }
  }
}
