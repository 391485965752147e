import BlockFormats

/// Why a text is not a value of the kind asked for.
enum ValueFailure: Error, Equatable, Sendable {
  /// The text is not what `ValueKind.accepted` describes.
  case notAccepted
  /// The message says it all; the hint, a second line, says what is accepted.
  case explained(String, hint: String? = nil)
  /// The text names a file that cannot be read or is malformed; the message names it.
  case file(String)

  /// An unknown `name` among named things, with the nearest of the known names as a question.
  ///
  /// The hint defaults to the known names themselves while they fit on one line.
  static func unknown(
    _ noun: String, _ name: String, known: [String], hint: String? = nil
  ) -> ValueFailure {
    let names = "choose from " + known.joined(separator: ", ")
    return .explained(
      "unknown \(noun) '\(name)'" + Suggestion.question(for: name, in: known),
      hint: hint ?? (names.count <= TextLayout.pageWidth ? names : nil))
  }
}

extension ValueFailure {
  /// The error of a command line.
  ///
  /// - Parameters:
  ///   - name: the option or argument.
  ///   - text: what was given.
  ///   - accepted: what is accepted, as in `ValueKind.accepted`.
  func commandError(_ name: String, text: String, accepted: String) -> CommandError {
    switch self {
    case .notAccepted: .usage("\(name): '\(text)' is not \(accepted)")
    case .explained(let message, let hint): .usage("\(name): \(message)", hint: hint)
    case .file(let message): .input(message)
    }
  }
}

/// How the text of an option or argument becomes a value, and how the help describes it.
struct ValueKind<Value: Sendable>: Sendable {
  /// Stands for the value in usage lines, such as `N`.
  var placeholder: String
  /// Completes "'x' is not …", such as "an integer from 0 to 9".
  var accepted: String
  /// The names the help lists; empty when there are too many or they are no names.
  var choices: [String] = []
  /// Turns the text into the value.
  var parse: @Sendable (String) throws(ValueFailure) -> Value
}

extension ValueKind<String> {
  /// Any text except the empty one.
  static func text(_ placeholder: String) -> ValueKind {
    ValueKind(placeholder: placeholder, accepted: "a text of at least one character") {
      (text) throws(ValueFailure) in
      guard !text.isEmpty else { throw .notAccepted }
      return text
    }
  }

  /// The path of a file; whether it exists is found out by whoever opens it.
  static let path = text("FILE")
}

extension ValueKind<String> {
  /// The key of one of a report's columns.
  static func column(of keys: [String]) -> ValueKind {
    ValueKind(placeholder: "COLUMN", accepted: "a column", choices: keys) {
      (text) throws(ValueFailure) in
      guard keys.contains(text) else { throw .unknown("column", text, known: keys) }
      return text
    }
  }
}

extension ValueKind<Int> {
  /// A decimal integer within `range`.
  static func integer(in range: ClosedRange<Int>) -> ValueKind {
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
  static func number(in range: ClosedRange<Double>) -> ValueKind {
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
  static let float = ValueKind(
    placeholder: "VALUE", accepted: "a number (decimal, hexadecimal such as 0x1p-3, inf or nan)"
  ) { (text) throws(ValueFailure) in
    try NumberText(text).value(in: "FP32")
  }

  /// The decode multiplier of a tensor.
  static let tensorScale = ValueKind(
    placeholder: "VALUE", accepted: "a finite number of at least 2^-128"
  ) { (text) throws(ValueFailure) in
    let scale: Float = try NumberText(text).value(in: "FP32")
    guard TensorScale.isValid(decode: scale) else { throw .notAccepted }
    return scale
  }
}

extension ValueKind where Value: CaseIterable & RawRepresentable<String> {
  /// One of the cases of an enum, by raw value; `noun` names the thing in errors.
  static func choice(_ noun: String, of type: Value.Type) -> ValueKind {
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
