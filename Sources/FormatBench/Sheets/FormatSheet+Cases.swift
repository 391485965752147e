import BlockFormats
import CommandLineToolkit

/// A block at an edge of the format's rules.
struct SpecialCase: Sendable {
  var name: String
  var values: [Float]

  /// The cases of every sheet.
  static let all: [SpecialCase] = {
    let most = Float.greatestFiniteMagnitude
    let least = Float.leastNonzeroMagnitude
    return [
      SpecialCase(name: "zeros", values: [0, -0.0, 0, 0]),
      SpecialCase(name: "one NaN", values: [1, .nan, -0.5, 0]),
      SpecialCase(name: "one infinity", values: [1, -.infinity, -0.5, 0]),
      SpecialCase(name: "largest FP32", values: [most, -most]),
      SpecialCase(name: "smallest FP32", values: [least, -least]),
      SpecialCase(name: "one ulp below 1", values: [Float(1).nextDown, 0.5, -0.25, 0]),
      SpecialCase(name: "power of two", values: [1, 0.5, -0.25, 0]),
      SpecialCase(name: "one ulp above 1", values: [Float(1).nextUp, 0.5, -0.25, 0]),
    ]
  }()

  /// Inputs on which policies may differ: the cases, and a large block before a tiny and a zero
  /// block under one tensor scale.
  static let probes: [[Float]] =
    all.map(\.values) + [
      [Float](repeating: 1e6, count: 64) + [Float](repeating: 1e-6, count: 64)
        + [Float](repeating: 0, count: 64)
    ]
}

/// The stored fields and decoded values of a vector, unpacked and ready to print.
struct EncodedVector {
  let tensor: QuantizedTensor
  let codes: [UInt32]
  let scales: [UInt32]
  let subscales: [UInt32]
  let decoded: [Float]

  init(_ values: [Float], as format: any BlockFormat, policy: EncodingPolicy? = nil) {
    tensor = Tensor(values).quantized(to: format, policy: policy)
    codes = tensor.codes.unpacked()
    scales = tensor.scales.unpacked()
    subscales = tensor.subscales.unpacked()
    decoded = tensor.dequantized().elements
  }

  /// The scale codes with their values, such as `0x79 = 2^-6`.
  var scaleText: String {
    guard let scale = tensor.format.layout.scale else { return "" }
    return scales.map { FieldText.scale($0, scale) }.joined(separator: ", ")
  }

  /// The sub-scales, such as `1 0 0`.
  var subscaleText: String { subscales.map(String.init).joined(separator: " ") }

  /// The codes in hexadecimal.
  var codeText: String {
    codes.map { ExactNumber.digits($0, tensor.format.layout.element.bitWidth) }
      .joined(separator: " ")
  }

  /// The decoded values.
  var decodedText: String { FieldText.list(decoded) }

  /// The stored tensor scale.
  var tensorScaleText: String {
    tensor.tensorScale.map { ExactNumber.text(Double($0)) } ?? ""
  }
}

/// Stored fields as texts.
enum FieldText {
  /// A scale code with its value; codes of FP32 scales are told by their value alone.
  static func scale(_ code: UInt32, _ format: ElementFormat) -> String {
    let value = ExactNumber.text(format.value(of: code))
    return format == .fp32
      ? value : "\(ExactNumber.hex(code, bitWidth: format.bitWidth)) = \(value)"
  }

  /// Values with commas.
  static func list(_ values: [Float]) -> String {
    values.map { ExactNumber.text(Double($0)) }.joined(separator: ", ")
  }
}

extension FormatSheet {
  /// What the encoder makes of the special cases, found by running it.
  var cases: SheetSection {
    var table = SheetTable([
      .init("case", "Block"), .init("values", "Values"), .init("tensor_scale", "Tensor scale"),
      .init("scale", "Scale"), .init("subscales", "Sub-scales"), .init("codes", "Codes"),
      .init("decoded", "Decoded"),
    ])
    for special in SpecialCase.all {
      let encoded = EncodedVector(special.values, as: format)
      table.append(
        [
          special.name, FieldText.list(special.values), encoded.tensorScaleText,
          encoded.scaleText, encoded.subscaleText, encoded.codeText, encoded.decodedText,
        ].map(Cell.text))
    }
    return SheetSection(
      key: "special_cases", title: "Special cases", parts: [.table(table.withoutEmptyColumns())])
  }

  /// The values of every worked block: each element format rounds or clips some of them.
  static let workedValues: [Float] = [1, -2, 3, 3.5, 5, 6.5, 7, 7.9]

  /// A block from values to bytes and back.
  var worked: SheetSection {
    let values = Self.workedValues
    let encoded = EncodedVector(values, as: format)
    var steps = SheetTable([.init("step", "Step"), .init("result", "Result")])
    func step(_ name: String, _ text: String) {
      if !text.isEmpty { steps.append([.text(name), .text(text)]) }
    }
    step("values", FieldText.list(values))
    if layout.scale != nil {
      step("amax", ExactNumber.text(Double(values.map(\.magnitude).max() ?? 0)))
    }
    step("tensor scale", encoded.tensorScaleText)
    step("scale", encoded.scaleText)
    step("sub-scales", encoded.subscaleText)
    step("codes", encoded.codeText)
    step(
      "element values",
      encoded.codes.map { ExactNumber.text(element.value(of: $0)) }.joined(separator: ", "))
    step("code bytes", ExactNumber.bytes(encoded.tensor.codes.bytes))
    step("scale bytes", ExactNumber.bytes(encoded.tensor.scales.bytes))
    step("sub-scale bytes", ExactNumber.bytes(encoded.tensor.subscales.bytes))
    if encoded.tensor.tensorScale != nil {
      step("tensor scale bytes", ExactNumber.bytes(Array(encoded.tensor.storedBytes.suffix(4))))
    }
    step("decoded", encoded.decodedText)
    return SheetSection(key: "worked_block", title: "Worked block", parts: [.table(steps)])
  }
}
