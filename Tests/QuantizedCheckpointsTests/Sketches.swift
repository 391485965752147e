import BlockFormats
import TensorFiles

@testable import QuantizedCheckpoints

/// A stored tensor of a type, a shape and bytes, for files that no writer here would make.
struct Stored {
  var name: String
  var dtype: String
  var shape: [Int]
  var bytes: [UInt8]

  init(_ name: String, _ dtype: String, _ shape: [Int], _ bytes: [UInt8]) {
    (self.name, self.dtype, self.shape, self.bytes) = (name, dtype, shape, bytes)
  }

  /// As many bytes as the shape needs, counting up from 1.
  init(_ name: String, _ dtype: String, _ shape: [Int], bitWidth: Int) {
    let count = shape.reduce(1, *) * bitWidth / 8
    self.init(name, dtype, shape, (0..<count).map { UInt8(truncatingIfNeeded: $0 + 1) })
  }

  /// FP32 numbers.
  init(_ name: String, _ shape: [Int], _ numbers: [Float]) {
    self.init(name, "F32", shape, littleEndian(numbers))
  }
}

/// The patterns of numbers, least significant byte first.
func littleEndian(_ numbers: [Float]) -> [UInt8] {
  numbers.flatMap { number in
    (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> (8 * $0)) }
  }
}

/// A text as a literal of JSON.
func literal(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"", "\\": result += "\\\(scalar)"
    case "\u{0}"..<"\u{20}":
      let digits = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}

/// A safetensors file of tensors one behind the other, and of text.
func safetensors(_ tensors: [Stored], metadata: [(String, String)] = []) -> [UInt8] {
  var entries: [String] = []
  if !metadata.isEmpty {
    let pairs = metadata.map { literal($0.0) + ":" + literal($0.1) }
    entries.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
  }
  var data: [UInt8] = []
  for tensor in tensors {
    let end = data.count + tensor.bytes.count
    entries.append(
      "\(literal(tensor.name)):{\"dtype\":\"\(tensor.dtype)\",\"shape\":\(tensor.shape),"
        + "\"data_offsets\":[\(data.count),\(end)]}")
    data += tensor.bytes
  }
  return safetensors(header: "{\(entries.joined(separator: ","))}", data: data)
}

/// A safetensors file of a header and what follows it.
func safetensors(header: String, data: [UInt8]) -> [UInt8] {
  let length = (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) }
  return length + Array(header.utf8) + data
}

extension ModelCheckpoint {
  /// The values of all tensors, by their names.
  func allValues() throws -> [String: [Float]] {
    var values: [String: [Float]] = [:]
    for tensor in tensors { values[tensor.name] = try tensor.dequantized().elements }
    return values
  }

  /// The bytes of all stored tensors with type and shape, by their names.
  func allBytes() throws -> [String: [UInt8]] {
    var bytes: [String: [UInt8]] = [:]
    for stored in files.stored {
      bytes["\(stored.name) \(stored.type) \(stored.shape)"] = try stored.bytes()
    }
    return bytes
  }

  /// The first tensor.
  var first: CheckpointTensor { tensors[0] }
}

/// Values of about the shape of a normal distribution.
func values(_ count: Int, seed: UInt64 = 1) -> [Float] {
  var state = seed
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let word = state ^ (state >> 29)
    return (0..<4).reduce(Float(0)) {
      $0 + Float(Int16(truncatingIfNeeded: word >> (16 * UInt64($1)))) * 0x1p-16
    }
  }
}
