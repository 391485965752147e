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
    if let scale = layout.scale {
      row("block", .text(BlockText.phrase(layout.block)))
      row("scale", .text("\(scale.name), \(scale.bitWidth) bits"))
      row("largest scale", .number(scale.greatestFiniteMagnitude), code: largestScaleCode(scale))
      row(
        "smallest scale", .number(scale.leastNonzeroMagnitude),
        code: ExactNumber.hex(scale.hasZero ? 1 : 0, bitWidth: scale.bitWidth))
      if let nan = scale.nanCode {
        row("NaN scale", .number(.nan), code: ExactNumber.hex(nan, bitWidth: scale.bitWidth))
      }
    }
    if let subscale = layout.subscale {
      row("sub-scale", .text("\(subscale.bitWidth)-bit shift for each \(subscale.length) elements"))
    }
    if layout.tensorScale != .absent { row("tensor scale", .text("one fp32 decode multiplier")) }
    row("nominal bits per element", .number(layout.nominalBitsPerElement))
    if layout.scale != nil, let count = layout.block.elementCount {
      row("bits per full block", .number(layout.nominalBitsPerElement * Double(count)))
    }
    return SheetSection(
      key: "parameters", title: "Parameters", parts: [.table(table)])
  }

  private func largestScaleCode(_ scale: ElementFormat) -> String {
    ExactNumber.hex(scale.greatestFiniteCode, bitWidth: scale.bitWidth)
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

  /// The fields of a code, such as `1 sign, 4 exponent, 3 fraction`.
  var fields: String {
    switch element.encoding {
    case .twosComplement(let layout):
      return "two's complement"
        + (layout.fractionBitCount == 0 ? "" : ", \(layout.fractionBitCount) fraction bits")
    case .floatingPoint(let layout):
      return [
        element.isSigned ? "1 sign" : nil,
        layout.exponentBitCount > 0 ? "\(layout.exponentBitCount) exponent" : nil,
        layout.significandBitCount > 0
          ? "\(layout.significandBitCount) \(layout.exponentBitCount > 0 ? "fraction" : "magnitude")"
          : nil,
      ].compactMap { $0 }.joined(separator: ", ")
    }
  }

  /// The facts in the order of listings.
  var rows: [Row] {
    var rows = [
      Row(name: "bits", value: .integer(element.bitWidth)),
      Row(name: "fields", value: .text(fields)),
    ]
    if let bias { rows.append(Row(name: "exponent bias", value: .integer(bias))) }
    rows.append(
      Row(
        name: "largest", value: .number(element.greatestFiniteMagnitude),
        code: hex(element.greatestFiniteCode)))
    if element.isSigned, case .twosComplement(let layout) = element.encoding,
      layout.range == .full
    {
      let least = UInt32(element.codeCount / 2)
      rows.append(Row(name: "least", value: .number(element.value(of: least)), code: hex(least)))
    }
    if let normal = element.leastNormalMagnitude {
      rows.append(
        Row(name: "smallest normal", value: .number(normal), code: hex(element.code(for: normal))))
    }
    rows.append(
      Row(
        name: "smallest above zero", value: .number(element.leastNonzeroMagnitude),
        code: hex(element.hasZero ? 1 : 0)))
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

  /// The exponent bias; nil without exponent field.
  var bias: Int? {
    guard case .floatingPoint(let layout) = element.encoding, layout.exponentBitCount > 0 else {
      return nil
    }
    return layout.exponentBias
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

/// Block shapes in words.
enum BlockText {
  /// Which elements share a scale.
  static func phrase(_ shape: BlockShape) -> String {
    switch shape {
    case .vector(let length): "\(length) elements along the block axis"
    case .row: "all elements along the block axis"
    case .tile(let rows, let columns): "\(rows) x \(columns) elements of the last two axes"
    case .tensor: "the whole tensor"
    }
  }
}
