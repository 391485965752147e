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

/// The stored codes and decoded values of a vector, unpacked and ready to print.
struct EncodedVector {
  let tensor: QuantizedTensor
  let decoded: [Float]

  init(_ values: [Float], as format: any BlockFormat, policy: EncodingPolicy? = nil) {
    tensor = Tensor(values).quantized(to: format, policy: policy)
    decoded = tensor.dequantized().elements
  }

  /// The codes of a field.
  func codes(of field: String) -> [UInt32] { tensor[field].unpacked() }

  /// The codes of a field as people read them: those of elements in hexadecimal, microexponents as
  /// integers, one of a block with its value, and the tensor's number as a number.
  func text(of name: String) -> String {
    guard let index = tensor.format.layout.index(of: name) else { return "" }
    let field = tensor.format.layout.fields[index]
    let codes = codes(of: name)
    switch field.extent {
    case .everyElement:
      return codes.map { ExactNumber.digits($0, field.bitWidth) }.joined(separator: " ")
    case .every: return codes.map(String.init).joined(separator: " ")
    case .perBlock: return codes.map { FieldText.scale($0, field.element) }.joined(separator: ", ")
    case .perTensor: return codes.map { ExactNumber.text(field.element.value(of: $0)) }.joined()
    }
  }

  /// The decoded values.
  var decodedText: String { FieldText.list(decoded) }
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
  /// The fields in the order in which a person follows an encoder: what the tensor has, what blocks
  /// have, the codes.
  private var fieldsFromTheTop: [StoredField] {
    layout.fields.filter { $0.extent == .perTensor }
      + layout.fields.dropFirst().filter { $0.extent != .perTensor } + [layout.fields[0]]
  }

  /// What the encoder makes of the special cases, found by running it.
  var cases: SheetSection {
    var table = SheetTable(
      [.init("case", "Block"), .init("values", "Values")]
        + fieldsFromTheTop.map { field in
          .init(field.columnKey, field.columnTitle)
        } + [.init("decoded", "Decoded")])
    for special in SpecialCase.all {
      let encoded = EncodedVector(special.values, as: format)
      table.append(
        ([special.name, FieldText.list(special.values)]
          + fieldsFromTheTop.map { encoded.text(of: $0.name) } + [encoded.decodedText])
          .map(Cell.text))
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
    if layout.fields.count > 1 {
      step("amax", ExactNumber.text(Double(values.map(\.magnitude).max() ?? 0)))
    }
    for field in fieldsFromTheTop {
      step(field.columnTitle.lowercased(), encoded.text(of: field.name))
    }
    if layout.fields[0].extent == .everyElement {
      step(
        "element values",
        encoded.codes(of: layout.fields[0].name).map { ExactNumber.text(element.value(of: $0)) }
          .joined(separator: ", "))
    }
    for field in layout.fields {
      step(
        "\(field.singularTitle.lowercased()) bytes",
        ExactNumber.bytes(encoded.tensor[field.name].bytes))
    }
    step("decoded", encoded.decodedText)
    return SheetSection(key: "worked_block", title: "Worked block", parts: [.table(steps)])
  }
}

extension StoredField {
  /// The heading of the field's codes: `Scale` where a block has one, `Codes` and `Sub-scales`.
  fileprivate var columnTitle: String {
    switch extent {
    case .perBlock(1), .perTensor: singularTitle
    case .perBlock, .every, .everyElement: title.prefix(1).uppercased() + title.dropFirst()
    }
  }

  /// The same for programs.
  fileprivate var columnKey: String {
    switch extent {
    case .perBlock(1), .perTensor: singular
    case .perBlock, .every, .everyElement: name
    }
  }
}
