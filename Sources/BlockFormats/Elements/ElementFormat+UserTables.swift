import CallerChecks

/// Tables of a user's own values, in the grammar of element names.
extension ElementFormat {
  /// A table of FP32 numbers, the first of which has code 0.
  ///
  /// The order is free: codes are places in the list. Rounding to nearest goes by the midpoints of
  /// neighbouring values, and a value half way between two follows the rounding rule, under which the even
  /// one of two codes is the one whose last bit is zero; where both or neither are even, the upper value if
  /// its code is even, else the lower one. Where the count is no power of two, the codes behind the last
  /// one decode to NaN and are never produced.
  ///
  /// - Parameter values: 2...256 finite numbers, some above zero and no two the same; 0 and -0 are two. The
  ///   least magnitude is at most half the largest value, so that some code decodes to a finite number
  ///   under every scale.
  /// - Precondition: as stated.
  public static func table(_ values: [Float]) -> ElementFormat {
    require(
      (2...256).contains(values.count) && values.allSatisfy(\.isFinite),
      "a table of \(values.count) numbers, of which \(values.count { !$0.isFinite }) are not finite"
    )
    require(
      hasSmallValue(values),
      "the least magnitude of a table is above half of its largest value: \(valuesText(values))")
    return ElementFormat(
      name: "table(values=\(valuesText(values)))", table: ValueTable(values.map(Double.init)))
  }

  /// Whether the least magnitude is at most half the largest value.
  static func hasSmallValue(_ values: [Float]) -> Bool {
    (values.map(\.magnitude).min() ?? 0) <= (values.max() ?? 0) / 2
  }

  /// The numbers in parentheses, each with the fewest digits that give it back.
  static func valuesText(_ values: [Float]) -> String {
    let texts = values.map { value in
      let text = value.description
      return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
    return "(" + texts.joined(separator: ",") + ")"
  }

  /// The parameters of `table(...)`.
  static let tableParameters: [FormatParameter] = ["values"]

  /// The `table(...)` family.
  static func table(_ arguments: FormatArguments) throws(FormatNameError) -> ElementFormat {
    try arguments.requireKnown(tableParameters)
    return .table(try arguments.tableValues())
  }
}

extension FormatArguments {
  /// The numbers of a table, `(-1,0,0.5,1)`.
  ///
  /// Decimals are rounded to FP32.
  func tableValues() throws(FormatNameError) -> [Float] {
    guard let text = values["values"] else { throw .missingParameter("values", of: name) }
    guard text.first == "(", text.last == ")", text.count > 2 else {
      throw .badValue(text, of: "values", expected: "numbers in parentheses, such as (-1,0,0.5,1)")
    }
    let texts = FormatText.splitList(String(text.dropFirst().dropLast()))
    guard (2...256).contains(texts.count) else {
      throw .badValue("\(texts.count) numbers", of: "values", expected: "2...256 of them")
    }
    var numbers: [Float] = []
    var places: [UInt32: Int] = [:]
    for (place, text) in texts.enumerated() {
      guard let number = Float(text), number.isFinite else {
        throw .badValue(text, of: "values[\(place)]", expected: "a finite number of FP32")
      }
      if let other = places.updateValue(place, forKey: number.bitPattern) {
        throw .badValue(
          text, of: "values[\(place)]", expected: "another number than values[\(other)], \(number)")
      }
      numbers.append(number)
    }
    guard let largest = numbers.max(), largest > 0 else {
      throw .badValue(
        "\(numbers.max() ?? 0)", of: "the largest of values", expected: "a number above zero")
    }
    guard ElementFormat.hasSmallValue(numbers) else {
      throw .badValue(
        "\(numbers.map(\.magnitude).min() ?? 0)", of: "the least magnitude of values",
        expected: "at most half the largest of them, \(largest)")
    }
    return numbers
  }
}
