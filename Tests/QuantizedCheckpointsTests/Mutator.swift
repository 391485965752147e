import FormatTestSupport

/// Damages bytes, texts of JSON and tensors in the ways in which files go wrong or are made to.
///
/// Everything follows from the seed.
struct Mutator {
  private var generator: SeededGenerator

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  /// A number below a bound.
  mutating func below(_ bound: Int) -> Int { Int(generator.next() % UInt64(max(bound, 1))) }

  mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

  // MARK: Bytes

  /// Numbers at which readers break.
  private static let telling: [UInt64] = [
    0, 1, 2, 3, 7, 8, 9, 15, 16, 31, 32, 33, 63, 64, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF,
    0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1 << 32, 1 << 48, 1 << 62, .max >> 1, 1 << 63, .max,
  ]

  /// Bytes with a few of them changed, removed or repeated.
  mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0...below(2) {
      guard !bytes.isEmpty else { return [UInt8(truncatingIfNeeded: generator.next())] }
      // The beginning says what follows.
      let reach = below(3) == 0 ? bytes.count : min(bytes.count, 400)
      let place = below(reach)
      switch below(8) {
      case 0, 1: bytes[place] ^= 1 << UInt8(below(8))
      case 2: bytes[place] = UInt8(truncatingIfNeeded: generator.next())
      case 3, 4:
        let number = pick(Self.telling)
        for index in 0..<pick([1, 2, 4, 8]) where place + index < bytes.count {
          bytes[place + index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * index))
        }
      case 5: bytes.removeLast(below(bytes.count))
      case 6:
        let range = place..<min(place + 1 + below(64), bytes.count)
        bytes.insert(contentsOf: bytes[range], at: below(bytes.count))
      default: bytes.removeSubrange(place..<min(place + 1 + below(16), bytes.count))
      }
    }
    return bytes
  }

  // MARK: JSON

  private static let values = [
    "null", "true", "false", "0", "-1", "1", "2", "3", "16", "31", "32", "64", "65537", "1.5",
    "1e400", "-0.0", "281474976710656", "4611686018427387904", "9223372036854775807",
    "18446744073709551616", "1e18", "\"\"", "\"x\"", "\"nf4\"", "\"U8\"", "\"F32\"", "\"I32\"",
    "\"F8_E4M3\"", "\"F8_E8M0\"", "\"BF16\"", "\"U32\"", "\"\\u0000\"", "\"\\u202e\"", "[]", "{}",
    "[[]]", "[0]", "[1,1]", "[4,64]", "[0,4611686018427387904]", "{\"a\":1}",
    "[128,128]", "\"compressed-tensors\"", "\"fp8\"", "\"quark\"", "\"modelopt\"", "\"../x\"",
    "\"/etc/passwd\"", "\"model.safetensors\"", "\"config.json\"",
  ]

  /// What ends numbers and literals.
  private static let marks = Array("\",:{}[] \n".utf8)

  /// The ranges of the scalars of a text of JSON: strings, numbers and literals.
  private static func scalars(of text: [UInt8]) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var index = 0
    while index < text.count {
      let start = index
      switch text[index] {
      case UInt8(ascii: "\""):
        index += 1
        while index < text.count, text[index] != UInt8(ascii: "\"") {
          index += text[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        index = min(index + 1, text.count)
        ranges.append(start..<index)
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
        UInt8(ascii: "a")...UInt8(ascii: "z"):
        while index < text.count, !marks.contains(text[index]) { index += 1 }
        ranges.append(start..<index)
      default: index += 1
      }
    }
    return ranges
  }

  /// A text of JSON with values swapped, replaced, repeated or cut.
  mutating func damagedJSON(_ text: [UInt8]) -> [UInt8] {
    var text = text
    for _ in 0...below(2) {
      let scalars = Self.scalars(of: text)
      guard !scalars.isEmpty else { return damaged(text) }
      let range = pick(scalars)
      switch below(9) {
      case 0, 1, 2: text.replaceSubrange(range, with: Array(pick(Self.values).utf8))
      case 3: text.replaceSubrange(range, with: text[pick(scalars)])
      case 4:
        // A member or an element once more.
        let end = text[range.upperBound...].firstIndex(of: UInt8(ascii: ",")) ?? range.upperBound
        let copy = Array(text[range.lowerBound..<end]) + [UInt8(ascii: ",")]
        text.insert(contentsOf: copy, at: range.lowerBound)
      case 5: text.removeSubrange(range)
      case 6:
        let depth = pick([1, 7, 63, 64, 65, 300])
        let inside = Array(text[range])
        text.replaceSubrange(
          range,
          with: [UInt8](repeating: UInt8(ascii: "["), count: depth) + inside
            + [UInt8](repeating: UInt8(ascii: "]"), count: depth))
      case 7:
        let other = pick(scalars)
        guard other.lowerBound >= range.upperBound else { continue }
        let (first, second) = (Array(text[range]), Array(text[other]))
        text.replaceSubrange(other, with: first)
        text.replaceSubrange(range, with: second)
      default: text = damaged(text)
      }
    }
    return text
  }

  // MARK: Tensors

  private static let types: [(name: String, bitWidth: Int)] = [
    ("U8", 8), ("I8", 8), ("F8_E4M3", 8), ("F8_E5M2", 8), ("F8_E8M0", 8), ("BOOL", 8), ("I16", 16),
    ("U16", 16), ("F16", 16), ("BF16", 16), ("F32", 32), ("I32", 32), ("U32", 32), ("F64", 64),
    ("I64", 64), ("U64", 64),
  ]

  private static let endings = [
    ".weight", ".weight_packed", ".weight_scale", ".weight_scale_2", ".weight_scale_inv", ".scale",
    ".scales", ".biases", ".global_scale", ".weight_global_scale", ".weight_shape", ".input_scale",
    "._weight_qdata", "._weight_scale", "._weight_per_tensor_scale", "_blocks", "_scales",
    ".weight.absmax", ".weight.quant_map", ".weight.quant_state.bitsandbytes__nf4",
    ".weight_zero_point",
  ]

  /// Tensors of which a few have other names, types, shapes or bytes; each by itself is a valid one.
  mutating func damaged(_ tensors: [Stored]) -> [Stored] {
    var tensors = tensors
    for _ in 0...below(2) {
      guard !tensors.isEmpty else { return tensors }
      let index = below(tensors.count)
      switch below(8) {
      case 0:
        let type = pick(Self.types)
        tensors[index].dtype = type.name
        resize(&tensors[index], bitWidth: type.bitWidth)
      case 1, 2:
        reshape(&tensors[index].shape)
        resize(&tensors[index])
      case 3:
        let name = tensors[index].name
        let stem = Self.endings.first(where: name.hasSuffix).map { name.dropLast($0.count) }
        let renamed = (stem ?? name[...]) + pick(Self.endings)
        guard !tensors.contains(where: { $0.name == renamed }) else { continue }
        tensors[index].name = String(renamed)
      case 4: tensors.remove(at: index)
      case 5:
        var copy = tensors[index]
        copy.name += pick(["", ".weight", "_blocks", ".quant_state.bitsandbytes__fp4"])
        tensors.append(copy)
      case 6 where tensors[index].name.contains("quant_state"):
        tensors[index].bytes = damagedJSON(tensors[index].bytes)
        tensors[index].shape = [tensors[index].bytes.count]
      default:
        guard !tensors[index].bytes.isEmpty else { continue }
        for _ in 0...below(8) {
          tensors[index].bytes[below(tensors[index].bytes.count)] = pick([
            0, 0x7F, 0x80, 0xFF, 0xC0, UInt8(truncatingIfNeeded: generator.next()),
          ])
        }
      }
    }
    return tensors
  }

  private mutating func reshape(_ shape: inout [Int]) {
    switch below(6) {
    case 0: shape.reverse()
    case 1: shape.append(1)
    case 2: shape = shape.isEmpty ? [0] : Array(shape.dropLast())
    case 3 where !shape.isEmpty:
      shape[below(shape.count)] = pick([0, 1, 2, 3, 5, 8, 16, 33, 64, 300])
    case 4 where !shape.isEmpty:
      shape.insert(0, at: 0)
      shape[shape.count - 1] = pick([1 << 48, 1 << 49, 1 << 61, .max])
    default: shape = shape.isEmpty ? [1] : [shape.reduce(1) { $0 &* $1 }]
    }
  }

  /// Gives a tensor the bytes that its shape needs, where they are not too many.
  private func resize(_ tensor: inout Stored, bitWidth: Int? = nil) {
    let width = bitWidth ?? Self.types.first { $0.name == tensor.dtype }?.bitWidth ?? 8
    var count = 1
    for extent in tensor.shape { count = min(count, 1 << 20) * min(extent, 1 << 20) }
    guard tensor.shape.contains(0) || count <= 1 << 16 else {
      tensor.shape = [tensor.bytes.count * 8 / width]
      tensor.bytes.removeLast(tensor.bytes.count % (width / 8))
      return
    }
    let needed = tensor.shape.contains(0) ? 0 : count * width / 8
    while tensor.bytes.count < needed {
      tensor.bytes.append(tensor.bytes.isEmpty ? 1 : tensor.bytes[tensor.bytes.count / 2])
    }
    tensor.bytes.removeLast(tensor.bytes.count - needed)
  }
}
