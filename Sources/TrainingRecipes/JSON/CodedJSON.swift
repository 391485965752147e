import StrictJSON

/// A JSON value as any coder holds it.
struct CodedJSON {
  let value: JSONValue

  init(_ value: JSONValue) { self.value = value }

  /// Any text is a key.
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}

extension CodedJSON: Decodable {
  init(from decoder: any Decoder) throws {
    if let object = try? decoder.container(keyedBy: Key.self) {
      // In the order of the names, as coders keep none.
      let keys = object.allKeys.sorted { $0.stringValue < $1.stringValue }
      value = .object(
        try keys.map { key in
          JSONValue.Member(
            key.stringValue, try object.decode(CodedJSON.self, forKey: key).value)
        })
    } else if var array = try? decoder.unkeyedContainer() {
      var values: [JSONValue] = []
      while !array.isAtEnd { values.append(try array.decode(CodedJSON.self).value) }
      value = .array(values)
    } else {
      value = try Self.scalar(decoder.singleValueContainer())
    }
  }

  private static func scalar(_ container: any SingleValueDecodingContainer) throws -> JSONValue {
    if container.decodeNil() { return .null }
    if let bool = try? container.decode(Bool.self) { return .bool(bool) }
    if let number = try? container.decode(Int.self) { return .number("\(number)") }
    if let number = try? container.decode(Double.self) { return .number("\(number)") }
    return .string(try container.decode(String.self))
  }
}

extension CodedJSON: Encodable {
  func encode(to encoder: any Encoder) throws {
    switch value {
    case .object(let members):
      var object = encoder.container(keyedBy: Key.self)
      for member in members {
        try object.encode(CodedJSON(member.value), forKey: Key(stringValue: member.key))
      }
    case .array(let values):
      var array = encoder.unkeyedContainer()
      for value in values { try array.encode(CodedJSON(value)) }
    case .null, .bool, .number, .string:
      var container = encoder.singleValueContainer()
      try encodeScalar(in: &container)
    }
  }

  private func encodeScalar(in container: inout any SingleValueEncodingContainer) throws {
    switch value {
    case .bool(let value): try container.encode(value)
    case .string(let text): try container.encode(text)
    case .number(let text):
      if let number = Int(text) {
        try container.encode(number)
      } else {
        try container.encode(Double(text))
      }
    case .null, .array, .object: try container.encodeNil()
    }
  }
}
