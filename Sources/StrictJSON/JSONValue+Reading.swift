import UntrustedText

extension JSONValue {
  /// The value that a whole text is.
  ///
  /// - Parameters:
  ///   - text: The text.
  ///   - depthLimit: The most containers that are open at once.
  /// - Throws: The first fault, with the path of the value in which it was found. A key that an object
  ///   has twice is one; keys are compared by their bytes.
  package init(reading text: String, depthLimit: Int) throws(JSONError) {
    var reader = JSONTreeReader(text, depthLimit: depthLimit)
    self = try reader.wholeValue()
  }
}

/// Reads a whole text, and knows where it is.
private struct JSONTreeReader {
  private var scanner: JSONScanner<JSONError>
  /// One path that grows and shrinks: to copy it for every value would take a time that is the
  /// product of the lengths of keys and arrays.
  private var path = JSONPath()

  init(_ text: String, depthLimit: Int) {
    scanner = JSONScanner(Array(text.utf8), depthLimit: depthLimit) { $0 }
  }

  mutating func wholeValue() throws(JSONError) -> JSONValue {
    do {
      let value = try value()
      try scanner.finish()
      return value
    } catch {
      var error = error
      error.path = path
      throw error
    }
  }

  private mutating func value() throws(JSONError) -> JSONValue {
    switch try scanner.peekKind() {
    case .object: return .object(try members())
    case .array: return .array(try elements())
    case .string: return .string(try scanner.string())
    case .number: return .number(scanner.text(of: try scanner.number()))
    case .null:
      try scanner.null()
      return .null
    case .bool: return .bool(try scanner.bool())
    }
  }

  private mutating func members() throws(JSONError) -> [JSONValue.Member] {
    try scanner.beginObject()
    var members: [JSONValue.Member] = []
    var keys: Set<ExactText> = []
    while let key = try scanner.nextKey() {
      guard keys.insert(ExactText(key)).inserted else { throw scanner.error(.duplicateKey(key)) }
      path.steps.append(.key(key))
      members.append(JSONValue.Member(key, try value()))
      path.steps.removeLast()
    }
    return members
  }

  private mutating func elements() throws(JSONError) -> [JSONValue] {
    try scanner.beginArray()
    var elements: [JSONValue] = []
    while try scanner.nextElement() {
      path.steps.append(.index(elements.count))
      elements.append(try value())
      path.steps.removeLast()
    }
    return elements
  }
}
