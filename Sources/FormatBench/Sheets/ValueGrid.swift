import BlockFormats
import CommandLineToolkit

/// The values of all codes of a narrow element format.
///
/// Up to six bits every code is shown. Wider signed formats show the codes without sign bit and
/// say how the others follow, code by code where they do not.
struct ValueGrid: Sendable {
  /// The widest code whose values are listed.
  static let widestCode = 8

  let element: ElementFormat

  /// The grid of a format; nil where it has too many codes.
  init?(_ element: ElementFormat) {
    guard element.bitWidth <= Self.widestCode else { return nil }
    self.element = element
  }

  /// Every code.
  var codes: Range<UInt32> { 0..<UInt32(element.codeCount) }

  private var isFolded: Bool { element.mirror != nil && element.bitWidth > 6 }
  private var shown: Range<UInt32> { isFolded ? 0..<UInt32(element.codeCount / 2) : codes }

  /// Rows of so many codes, named by the first.
  func table(columnCount: Int = 8) -> SheetTable {
    let width = UInt32(min(columnCount, shown.count))
    var table = SheetTable(
      [.init("code", "Code")]
        + (0..<width).map { .init("plus_\($0)", "+\($0)", .right) })
    for first in stride(from: 0, to: shown.upperBound, by: Int(width)) {
      table.append(
        [.text(hex(first))] + (first..<first + width).map { .number(element.value(of: $0)) })
    }
    return table
  }

  /// A sentence that says as much as the grid, where one does; checked against every code.
  var formula: String? {
    let base = element.value(of: 0)
    let finite = codes.filter { element.value(of: $0).isFinite }
    let others = codes.filter { !element.value(of: $0).isFinite }
    let text: String
    if finite.allSatisfy({ element.value(of: $0) == Double($0) }) {
      text = "code c is c"
    } else if base > 0,
      finite.allSatisfy({
        element.value(of: $0).exponent == base.exponent + Int($0)
          && element.value(of: $0).significand == 1
      })
    {
      text = "code c is 2^(c - \(-base.exponent))"
    } else {
      return nil
    }
    let exceptions = others.map { "\(hex($0)) is \(ExactNumber.text(element.value(of: $0)))" }
    return "\(element.name): " + ([text] + exceptions).joined(separator: ", ") + "."
  }

  /// How the values of codes that are not shown follow from those that are.
  var remarks: [String] {
    guard isFolded, let rule = element.mirror else { return [] }
    let half = shown.upperBound
    let mirror: (UInt32) -> UInt32
    var lines: [String]
    switch rule {
    case .signBit:
      mirror = { $0 | half }
      lines = ["Code c + \(hex(half)) is the negative of code c."]
    case .complement:
      mirror = { $0 == 0 ? half : (2 * half - $0) }
      lines = ["Code \(hex(2 * half)) - c is the negative of code c."]
    }
    let exceptions = shown.filter { code in
      let (value, other) = (element.value(of: code), element.value(of: mirror(code)))
      return !(value.isNaN && other.isNaN) && (-value).bitPattern != other.bitPattern
    }
    if !exceptions.isEmpty {
      let list = exceptions.map {
        "\(hex(mirror($0))) is \(ExactNumber.text(element.value(of: mirror($0))))"
      }
      lines.append("But: " + list.joined(separator: ", ") + ".")
    }
    if rule == .complement && !element.producesLeastInteger {
      lines.append("The encoder never produces \(hex(half)).")
    }
    return [lines.joined(separator: " ")]
  }

  private func hex(_ code: UInt32) -> String {
    ExactNumber.hex(code, bitWidth: element.bitWidth)
  }
}
