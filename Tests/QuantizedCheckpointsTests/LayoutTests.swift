import BlockFormats
import FormatTestSupport
import Testing

@testable import QuantizedCheckpoints

/// Random bytes.
private func bytes(_ count: Int, seed: UInt64 = 7) -> [UInt8] {
  var generator = SeededGenerator(seed: seed)
  return (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
}

/// Bits of bytes, from the lowest of the first one on.
private func bits(_ bytes: ArraySlice<UInt8>, _ start: Int, _ count: Int) -> Int {
  (0..<count).reduce(0) { sum, bit in
    let place = start + bit
    return sum | Int(bytes[bytes.startIndex + place / 8] >> UInt8(place % 8) & 1) << bit
  }
}

/// A tensor in a producer's layout.
struct LayoutCase: CustomStringConvertible, Sendable {
  let description: String
  let contents: [UInt8]
  /// The text of `config.json`.
  let configuration: String

  init(
    _ description: String, _ tensors: [Stored], metadata: [(String, String)] = [],
    configuration: String = "{}"
  ) {
    self.description = description
    self.configuration = configuration
    contents = safetensors(tensors, metadata: metadata)
  }

  /// compressed-tensors' integers in rows of words.
  static func integers(bits: Int, rows: Int, columns: Int, groups: Int) -> LayoutCase {
    let words = (bits * columns + 31) / 32
    var codes = bytes(rows * words * 4, seed: UInt64(bits))
    // What follows the last code of a row is zero.
    for row in 0..<rows {
      for bit in bits * columns..<words * 32 {
        codes[row * words * 4 + bit / 8] &= ~(1 << UInt8(bit % 8))
      }
    }
    let shape = [rows, columns].flatMap { extent in
      (0..<8).map { UInt8(truncatingIfNeeded: extent >> (8 * $0)) }
    }
    return LayoutCase(
      "int\(bits) in words, \(rows)x\(columns) in \(groups) groups",
      [
        Stored("a.weight_packed", "I32", [rows, words], codes),
        Stored("a.weight_scale", [rows, groups], (0..<rows * groups).map { Float($0 + 1) / 8 }),
        Stored("a.weight_shape", "I64", [2], shape),
      ])
  }

  static func affine(bits: Int, group: Int) -> LayoutCase {
    LayoutCase(
      "MLX, \(bits) bits in groups of \(group)",
      [
        Stored("a.weight", "U32", [3, 6 * bits], bytes(72 * bits)),
        Stored("a.scales", [3, 192 / group], (0..<576 / group).map { Float($0) / 4 }),
        Stored("a.biases", [3, 192 / group], (0..<576 / group).map { -Float($0) }),
      ], configuration: #"{"quantization":{"group_size":\#(group),"bits":\#(bits)}}"#)
  }

  /// torchao's metadata of a tensor.
  static func torchao(_ type: String, _ facts: String) -> [(String, String)] {
    [
      ("tensor_names", #"["a.weight"]"#),
      ("a.weight", #"{"_type":"\#(type)","_data":{\#(facts)}}"#),
    ]
  }

  static func tiles(rows: Int, columns: Int) -> LayoutCase {
    LayoutCase(
      "torchao, NVFP4 with scales of \(rows)x\(columns) in tiles",
      [
        Stored("a._weight_qdata", "U8", [rows, 8 * columns], bytes(rows * 8 * columns)),
        Stored(
          "a._weight_scale", "F8_E4M3", [(rows + 127) / 128 * 32, (columns + 3) / 4 * 16],
          bytes((rows + 127) / 128 * ((columns + 3) / 4) * 512).map { $0 & 0x3F }),
        Stored("a._weight_per_tensor_scale", [], [0.375]),
      ],
      metadata: torchao("NVFP4Tensor", #""block_size":16,"is_swizzled_scales":true"#))
  }

  static let all: [LayoutCase] =
    (2...8).map { integers(bits: $0, rows: 3, columns: 43, groups: 1) }
    + (2...8).map { integers(bits: $0, rows: 3, columns: 45, groups: 9) }
    + (2...8).map { integers(bits: $0, rows: 2, columns: 72, groups: 9) }
    + [2, 3, 4, 5, 6, 8].map { affine(bits: $0, group: 32) } + [affine(bits: 5, group: 64)]
    + [tiles(rows: 3, columns: 9), tiles(rows: 130, columns: 2)]
    + [
      LayoutCase(
        "torchao, FP6 in bytes",
        [
          Stored("a._weight_qdata", "U8", [3, 64], bytes(192).map { $0 & 63 }),
          Stored("a._weight_scale", "F8_E8M0", [3, 2], bytes(6).map { $0 & 127 }),
        ], metadata: torchao("MXTensor", #""block_size":32,"elem_dtype":"fp6_e3m2""#)),
      LayoutCase(
        "torchao, MX in blocks of 5 elements",
        [
          Stored("a._weight_qdata", "U8", [4, 15], bytes(60)),
          Stored("a._weight_scale", "F8_E8M0", [4, 6], bytes(24).map { $0 & 127 }),
        ], metadata: torchao("MXTensor", #""block_size":5,"elem_dtype":"fp4_e2m1""#)),
      LayoutCase(
        "ModelOpt, NVFP4",
        [
          Stored("a.weight", "U8", [2, 2, 24], bytes(96)),
          Stored("a.weight_scale", "F8_E4M3", [2, 2, 3], bytes(12).map { $0 & 0x3F }),
          Stored("a.weight_scale_2", [], [0.1]),
        ]),
      LayoutCase(
        "Quark, FP6 packed",
        [
          Stored("a.weight", "U8", [2, 72], bytes(144)),
          Stored("a.weight_scale", "U8", [2, 3], bytes(6).map { $0 & 127 }),
        ]),
      LayoutCase(
        "gpt-oss",
        [
          Stored("a_blocks", "U8", [2, 3, 2, 16], bytes(192)),
          Stored("a_scales", "U8", [2, 3, 2], bytes(12).map { $0 & 127 }),
        ]),
      LayoutCase(
        "bitsandbytes, runs that end inside rows",
        [
          Stored("a.weight", "U8", [105, 1], bytes(105)),
          Stored("a.weight.absmax", [53], (1...53).map { Float($0) }),
          Stored(
            "a.weight.quant_map", [16],
            (0..<16).map { Float(ElementFormat.nf4.value(of: $0)) }),
          Stored(
            "a.weight.quant_state.bitsandbytes__nf4", "U8", [32],
            Array(#"{"blocksize":4,"shape":[3,7,10]}"#.utf8)),
        ]),
      LayoutCase(
        "FP8, one scale",
        [
          Stored("a.weight", "F8_E5M2", [5, 7], bytes(35)), Stored("a.weight_scale", [1], [0.5]),
        ]),
      LayoutCase(
        "FP8, a scale a row",
        [
          Stored("a.weight", "F8_E4M3", [5, 7], bytes(35)),
          Stored("a.weight_scale", [5, 1], [1, 2, 3, 4, 5]),
        ]),
      LayoutCase(
        "FP8, a scale a tile",
        [
          Stored("a.weight", "F8_E4M3", [2, 131, 5], bytes(1310)),
          Stored("a.weight_scale_inv", [2, 2, 1], [1, 2, 3, 4]),
        ]),
      LayoutCase(
        "FP8, an exponent a tile",
        [
          Stored("a.weight", "F8_E4M3", [131, 130], bytes(131 * 130)),
          Stored("a.scale", "F8_E8M0", [2, 2], [120, 127, 128, 130]),
        ]),
    ]
}

@Suite("Layouts of stored tensors")
struct LayoutTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func storage(_ layout: LayoutCase) throws -> QuantizedStorage {
    try folder.write(layout.contents, as: "a/model.safetensors")
    try folder.write(layout.configuration, as: "a/config.json")
    let checkpoint = try ModelCheckpoint(path: folder["a"])
    #expect(checkpoint.inventory.findings == [])
    return try #require(checkpoint.first.quantizedStorage)
  }

  /// The limits at which pieces are cut in other places.
  private func limits(_ count: Int) -> [Int] {
    Intensity.isDeep || count < 300 ? Array(1...count) : Array(1...64) + [100, 260, 4200, count]
  }

  @Test("A tensor read in pieces of any size is the tensor read at once", arguments: LayoutCase.all)
  func pieces(_ layout: LayoutCase) throws {
    let storage = try storage(layout)
    let whole = try storage.values(storage.pieces(limit: .max), 0, parallelism: .threads(1))
    var cuts: Set<[Range<Int>]> = []
    for limit in limits(whole.count) {
      let pieces = storage.pieces(limit: limit)
      guard cuts.insert(pieces.ranges).inserted else { continue }
      var values: [Float] = []
      for index in pieces.ranges.indices {
        values += try storage.values(pieces, index, parallelism: .threads(1))
      }
      #expect(values.map(\.bitPattern) == whole.map(\.bitPattern), "pieces of \(limit)")
    }
    #expect(cuts.count > 1)
  }

  @Test(
    "Slices of planes are written to the bytes that they were read from", arguments: LayoutCase.all)
  func written(_ layout: LayoutCase) throws {
    let storage = try storage(layout)
    guard case .fields(let parts) = storage.contents else {
      Issue.record("no fields")
      return
    }
    let count = storage.shape.reduce(1, *)
    for limit in Set([1, 16, 50, 128, count / 2, count].filter { $0 >= 1 }) {
      let pieces = storage.pieces(limit: limit)
      var written = try parts.map {
        [UInt8](repeating: 0xA5, count: try #require($0.stored).byteCount)
      }
      for (index, range) in pieces.ranges.enumerated() {
        let piece = try storage.quantized(pieces, index)
        let slices = PlaneSlices(
          storage.format.layout, shape: storage.shape, piece: piece.shape, range)
        for (field, part) in parts.enumerated() where part.coding != .tiles128x4 {
          guard index == 0 || !slices.isWhole(field) else { continue }
          let (bytes, offset) = part.coding.stored(
            piece.planes[field].bytes, of: slices.slice(of: field))
          written[field].replaceSubrange(offset..<offset + bytes.count, with: bytes)
        }
      }
      for (field, part) in parts.enumerated() where part.coding != .tiles128x4 {
        #expect(try written[field] == part.stored?.bytes(), "field \(field), pieces of \(limit)")
      }
    }
  }

  @Test(
    "Offset words hold integers from the lowest bit on, in rows that end inside a word",
    arguments: 2...8)
  func words(_ width: Int) throws {
    for columns in 32...72 {
      let groups = columns % 3 == 0 ? 3 : 1
      let layout = LayoutCase.integers(bits: width, rows: 2, columns: columns, groups: groups)
      let storage = try storage(layout)
      #expect(storage.format.layout.element.bitWidth == width)
      let values = try storage.quantized().dequantized().elements
      let stored = try storage.parts[0].bytes()
      let rowBytes = stored.count / 2
      for index in 0..<2 * columns {
        let (row, column) = (index / columns, index % columns)
        let code = bits(stored[row * rowBytes..<(row + 1) * rowBytes], column * width, width)
        let scale = Float(row * groups + column / (columns / groups) + 1) / 8
        #expect(values[index] == Float(code - 1 << (width - 1)) * scale)
      }
    }
  }

  @Test("Short rows of words are read by the bits of the configuration, and not by a guess")
  func shortRows() throws {
    for width in 2...6 {
      let layout = LayoutCase.integers(bits: width, rows: 3, columns: 5, groups: 1)
      try folder.write(layout.contents, as: "short/model.safetensors")
      #expect(throws: ModelCheckpointError.self) { try ModelCheckpoint(path: folder["short"]) }
      try folder.write(
        #"{"quantization_config":{"config_groups":{"group_0":{"weights":{"num_bits":\#(width)}}}}}"#,
        as: "short/config.json")
      let storage = try #require(ModelCheckpoint(path: folder["short"]).first.quantizedStorage)
      #expect(storage.format.layout.element.bitWidth == width)
      try #require(throws: Never.self) { try storage.quantized() }
      try folder.write("{}", as: "short/config.json")
    }
  }

  @Test("MLX's codes lie in rows of bits, whatever the words", arguments: [2, 3, 4, 5, 6, 8])
  func affine(_ width: Int) throws {
    let storage = try storage(LayoutCase.affine(bits: width, group: 32))
    let values = try storage.quantized().dequantized().elements
    let stored = try storage.parts[0].bytes()
    let rowBytes = 24 * width
    for index in values.indices {
      let (row, column) = (index / 192, index % 192)
      let code = bits(stored[row * rowBytes..<(row + 1) * rowBytes], column * width, width)
      let group = Float(row * 6 + column / 32)
      #expect(values[index] == Float(code) * (group / 4) - group)
    }
  }

  @Test("The first element is in the low half of a byte, but in the high one for bitsandbytes")
  func nibbles() throws {
    for layout in LayoutCase.all {
      let isHighFirst = layout.description.hasPrefix("bitsandbytes")
      guard isHighFirst || layout.description == "ModelOpt, NVFP4" else { continue }
      let storage = try storage(layout)
      let stored = try storage.parts[0].bytes()
      let codes = try storage.quantized()["codes"].unpacked()
      for (index, code) in codes.enumerated() {
        let isHigh = (index % 2 == 0) == isHighFirst
        #expect(code == UInt32(isHigh ? stored[index / 2] >> 4 : stored[index / 2] & 15))
      }
    }
  }

  @Test("Scales in tiles lie where the bytes of the tiles say")
  func tiles() {
    for (rows, columns) in [
      (1, 1), (31, 4), (32, 5), (33, 3), (128, 8), (129, 4), (300, 9), (0, 3),
    ] {
      let tiles = ScaleTiles(rows: rows, columns: columns)
      // From the bytes to the scales: a tile is 32 lines of four rows each, 32 apart, of four columns.
      var places: [(row: Int, column: Int)] = []
      for tileRow in 0..<(rows + 127) / 128 {
        for tileColumn in 0..<(columns + 3) / 4 {
          for line in 0..<32 {
            for quarter in 0..<4 {
              for column in 0..<4 {
                places.append((128 * tileRow + 32 * quarter + line, 4 * tileColumn + column))
              }
            }
          }
        }
      }
      #expect(tiles.byteCount == places.count)
      let scales = bytes(rows * columns).map { $0 | 1 }
      let expected = places.map { place in
        place.row < rows && place.column < columns ? scales[place.row * columns + place.column] : 0
      }
      #expect(tiles.tiles(of: scales) == expected)
      for first in Set([0, 1, 31, 127, 128, rows].filter { $0 <= rows }) {
        let start = first / 128 * ((columns + 3) / 4) * 512
        let part = columns / 2..<columns
        let found = tiles.rows(
          first..<rows, part, from: Array(expected[min(start, expected.count)...]))
        #expect(
          found == (first..<rows).flatMap { row in part.map { scales[row * columns + $0] } })
      }
    }
  }

  @Test("Every nibble of ggml's MXFP4 block is the element that ggml reads from it")
  func ggmlMXFP4() throws {
    let format = try Dialect.ggml.format(named: "mxfp4")
    let packing = try #require(format.ggmlPacking)
    for element in 0..<32 {
      var block = [UInt8](repeating: 0, count: 17)
      block[0] = 127
      block[1 + element % 16] = element < 16 ? 2 : 0x20
      let tensor = try QuantizedTensor(
        format: format, shape: [32], packing: packing, streams: [block])
      #expect(tensor.dequantized().elements == (0..<32).map { $0 == element ? 1 : 0 })
      #expect(tensor.packed(as: packing) == [block])
    }
  }
}
