import BlockFormats
import CommandLineToolkit

extension FormatSheet {
  /// Identity and parameters.
  var parameters: SheetSection {
    var table = SheetTable([
      .init("parameter", "Parameter"), .init("value", "Value"), .init("code", "Code"),
    ])
    func row(_ name: String, _ value: Cell, code: String = "") {
      table.append([.text(name), value, .text(code)])
    }
    row("source", .text(format.source))
    row("element", .text(element.name))
    for fact in ElementFacts(element).rows { row(fact.name, fact.value, code: fact.code) }
    if layout.fields.count > 1 { row("block", .text(layout.block.phrase)) }
    for fact in layout.fields.dropFirst().flatMap({ FieldFacts($0).rows }) {
      row(fact.name, fact.value, code: fact.code)
    }
    row("nominal bits per element", .number(layout.nominalBitsPerElement))
    if layout.fields.count > 1, let count = layout.block.elementCount {
      row("bits per full block", .number(layout.nominalBitsPerElement * Double(count)))
    }
    return SheetSection(
      key: "parameters", title: "Parameters", parts: [.table(table)])
  }
}

/// What there is to say about a stored field, one fact a row.
struct FieldFacts {
  private let field: StoredField

  init(_ field: StoredField) { self.field = field }

  /// The facts in the order of listings.
  var rows: [ElementFacts.Row] {
    let (element, name) = (field.element, field.singularTitle.lowercased())
    switch field.extent {
    case .everyElement: return [.init(name: name, value: .text("\(element.name), each element"))]
    case .every(let length):
      return [.init(name: name, value: .text("\(element.name) for each \(length) elements"))]
    case .perBlock(let count) where count > 1:
      return [.init(name: name, value: .text("\(count) of \(element.name) for each block"))]
    case .perTensor:
      return [.init(name: name, value: .text("one \(element.name) decode multiplier"))]
    case .perBlock:
      func hex(_ code: UInt32) -> String { ExactNumber.hex(code, element) }
      var rows: [ElementFacts.Row] = [
        .init(name: name, value: .text("\(element.name), \(element.bitWidth) bits")),
        .init(
          name: "largest \(name)", value: .number(element.greatestFiniteMagnitude),
          code: hex(element.greatestFiniteCode)),
        .init(
          name: "smallest \(name)", value: .number(element.leastNonzeroMagnitude),
          code: hex(element.leastPositiveCode)),
      ]
      if let nan = element.nanCode {
        rows.append(.init(name: "NaN \(name)", value: .number(.nan), code: hex(nan)))
      }
      return rows
    }
  }
}

/// What follows from an element format's descriptor, one fact a row.
struct ElementFacts {
  /// A named fact, with the codes it is about.
  struct Row {
    var name: String
    var value: Cell
    var code = ""
  }

  private let element: ElementFormat

  init(_ element: ElementFormat) { self.element = element }

  /// The facts in the order of listings.
  var rows: [Row] {
    var rows = [
      Row(name: "bits", value: .integer(element.bitWidth)),
      Row(name: "fields", value: .text(element.partsText)),
    ]
    if let bias = element.exponentBias {
      rows.append(Row(name: "exponent bias", value: .integer(bias)))
    }
    rows.append(
      Row(
        name: "largest", value: .number(element.greatestFiniteMagnitude),
        code: hex(element.greatestFiniteCode)))
    if element.producesLeastInteger, let least = element.leastIntegerCode {
      rows.append(Row(name: "least", value: .number(element.value(of: least)), code: hex(least)))
    }
    if let normal = element.leastNormalMagnitude {
      rows.append(
        Row(name: "smallest normal", value: .number(normal), code: hex(element.code(for: normal))))
    }
    rows.append(
      Row(
        name: "smallest above zero", value: .number(element.leastNonzeroMagnitude),
        code: hex(element.leastPositiveCode)))
    rows.append(Row(name: "emax", value: .integer(element.greatestExponent)))
    rows.append(Row(name: "zero", value: .text(zeroText), code: zeroCodes))
    if let infinity = element.infinityCode {
      rows.append(
        Row(
          name: "infinity", value: .number(.infinity),
          code: element.isSigned
            ? "\(hex(infinity)), \(hex(element.code(for: -.infinity, overflow: .special)))"
            : hex(infinity)))
    }
    if let nan = element.nanCode {
      rows.append(Row(name: "canonical NaN", value: .number(.nan), code: hex(nan)))
      let all = codes(where: \.isNaN)
      if !all.isEmpty && all != hex(nan) {
        rows.append(Row(name: "all NaN", value: .number(.nan), code: all))
      }
    }
    return rows
  }

  private var zeroText: String {
    element.hasNegativeZero ? "+0 and -0" : element.hasZero ? "+0 only" : "none"
  }

  private var zeroCodes: String {
    guard element.hasZero else { return "" }
    let codes = [element.code(for: 0)] + (element.hasNegativeZero ? [element.code(for: -0.0)] : [])
    return codes.map(hex).joined(separator: ", ")
  }

  /// The codes whose values hold a condition, runs of neighbours as ranges; empty for wide codes.
  private func codes(where holds: (Double) -> Bool) -> String {
    guard element.bitWidth <= 16 else { return "" }
    var runs: [ClosedRange<UInt32>] = []
    for code in 0..<UInt32(element.codeCount) where holds(element.value(of: code)) {
      if let last = runs.last, last.upperBound + 1 == code {
        runs[runs.count - 1] = last.lowerBound...code
      } else {
        runs.append(code...code)
      }
    }
    return runs.map { run in
      run.count == 1 ? hex(run.lowerBound) : "\(hex(run.lowerBound)) to \(hex(run.upperBound))"
    }
    .joined(separator: ", ")
  }

  private func hex(_ code: UInt32) -> String {
    ExactNumber.hex(code, bitWidth: element.bitWidth)
  }
}
