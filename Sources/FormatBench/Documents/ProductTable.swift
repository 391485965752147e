import BlockFormats
import CommandLineToolkit
import QuantizedLinearAlgebra

/// How the standard formats multiply with themselves.
enum ProductTable {
  /// A contraction length beyond every block.
  private static let depth = 4096

  static var table: SheetTable {
    var table = SheetTable([
      .init("format", "Format"), .init("unit", "Unit"), .init("group", "Group"),
      .init("range", "Largest integer", .right), .init("sum", "Largest sum", .right),
      .init("bits", "Bits of it", .right),
    ])
    for format in FormatCatalog.standard {
      guard
        let product = try? ProductDefinition(
          a: .quantized(format), b: .quantized(format), depth: depth)
      else { continue }
      let group = product.groupLength == depth ? "whole axis" : "\(product.groupLength)"
      let linear = product.unit.isExact ? format.layout.linear : nil
      let integers = linear.flatMap { OperandElements($0).integers }
      let sum = integers.map { $0.greatest * $0.greatest * product.groupLength }
      table.append([
        .text(format.id), .text(product.unit.rawValue), .text(group),
        integers.map { .integer($0.greatest) } ?? .text("-"),
        product.groupLength == depth ? .text("-") : sum.map { .integer($0) } ?? .text("-"),
        product.groupLength == depth
          ? .text("-")
          : sum.map { .integer(Int.bitWidth - $0.leadingZeroBitCount) } ?? .text("-"),
      ])
    }
    return table
  }
}
