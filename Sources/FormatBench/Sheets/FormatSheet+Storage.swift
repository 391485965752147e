import BlockFormats
import CommandLineToolkit

extension FormatSheet {
  /// The fields of a code, the codes in their bytes, and the planes of an example tensor.
  var storage: SheetSection {
    var parts: [SheetPart] = [.drawing(BitDrawing.fields(of: element))]
    if let bytes = BitDrawing.packing(of: element.bitWidth, symbol: "c") {
      parts.append(.drawing(["element codes c0, c1, ... in their bytes"] + bytes))
    }
    let others = layout.fields.dropFirst().filter { $0.bitWidth <= 8 }
    for (index, field) in others.enumerated() {
      // s, t, u, ...
      let symbol = String(UnicodeScalar(UInt8(ascii: "s") + UInt8(index % 8)))
      // The bits of microexponents have no parts to draw.
      if case .perBlock = field.extent {
        parts.append(.drawing(BitDrawing.fields(of: field.element, label: "\(field.singular) ")))
      }
      if let bytes = BitDrawing.packing(of: field.bitWidth, symbol: symbol) {
        let name =
          if case .perBlock = field.extent { "\(field.singular) codes" } else { field.title }
        parts.append(.drawing(["\(name) \(symbol)0, \(symbol)1, ... in their bytes"] + bytes))
      }
    }
    parts.append(.table(planes))
    return SheetSection(key: "layout", title: "Layout", parts: parts)
  }

  /// The planes of a small tensor with a tail: two rows, or two tiles and one row over.
  private var planes: SheetTable {
    let shape =
      switch layout.block {
      case .vector(let length), .run(let length): [2, 2 * length + 1]
      case .tile(let rows, let columns): [rows + 1, columns + 1]
      case .row, .tensor: [2, 33]
      }
    let storage = StorageLayout(of: layout, shape: shape)
    var table = SheetTable([
      .init("plane", "Plane of a \(shape.map(String.init).joined(separator: " x ")) tensor"),
      .init("offset", "Offset", .right), .init("rows", "Rows", .right),
      .init("codes_per_row", "Codes per row", .right),
      .init("bits_per_code", "Bits per code", .right),
      .init("bytes_per_row", "Bytes per row", .right), .init("bytes", "Bytes", .right),
    ])
    var offset = 0
    for (field, plane) in zip(layout.fields, storage.planes) {
      table.append([
        .text(field.title), .integer(offset), .integer(plane.rowCount), .integer(plane.rowLength),
        .integer(plane.bitWidth), .integer(plane.bytesPerRow), .integer(plane.byteCount),
      ])
      offset += plane.byteCount
    }
    table.append(
      [.text("total"), .integer(offset)] + Array(repeating: .text(""), count: 4)
        + [.integer(storage.byteCount)])
    return table
  }
}

/// Drawings of bits, most significant first.
enum BitDrawing {
  /// The fields of a code: a line of bit numbers and a line of letters.
  static func fields(of element: ElementFormat, label: String = "") -> [String] {
    let letters = element.bitLetters.map(String.init)
    let numbers = letters.indices.reversed().map(String.init)
    let width = numbers.map(\.count).max() ?? 1
    func line(_ fields: [String], _ head: String) -> String {
      head
        + fields.map { String(repeating: " ", count: width - $0.count) + $0 }
        .joined(separator: " ")
    }
    return [line(numbers, label + "bit   "), line(letters, label + "field ")]
  }

  /// Where the bits of neighbouring codes land, found by packing one bit at a time.
  ///
  /// - Returns: a line for each byte until the pattern repeats; nil where a code is whole bytes.
  static func packing(of width: Int, symbol: String) -> [String]? {
    guard width % 8 != 0 else { return nil }
    let byteCount = (1...8).first { $0 * 8 % width == 0 } ?? width
    let codeCount = byteCount * 8 / width
    var owners = [[Int]](repeating: [Int](repeating: 0, count: 8), count: byteCount)
    for code in 0..<codeCount {
      for bit in 0..<width {
        var codes = [UInt32](repeating: 0, count: codeCount)
        codes[code] = 1 << UInt32(bit)
        let bytes = BitPlane(
          rowCount: 1, rowLength: codeCount, bitWidth: width, codes: codes
        ).bytes
        guard let byte = bytes.firstIndex(where: { $0 != 0 }) else { continue }
        owners[byte][bytes[byte].trailingZeroBitCount] = code
      }
    }
    return ["bit    " + (0..<8).reversed().map(String.init).joined(separator: "  ")]
      + owners.enumerated().map { byte, bits in
        "byte \(byte)" + bits.reversed().map { " \(symbol)\($0)" }.joined()
      }
  }
}
