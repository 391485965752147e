import BlockFormats
import Foundation
import Testing

@testable import QuantizedCheckpoints

@Suite("Hostile tensors")
struct HostileTensorTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func open(
    _ tensors: [Stored], metadata: [(String, String)] = []
  ) throws -> ModelCheckpoint {
    try ModelCheckpoint(
      path: folder.write(safetensors(tensors, metadata: metadata), as: "a.safetensors"))
  }

  /// The error about tensors, which is one line.
  private func error(_ tensors: [Stored], metadata: [(String, String)] = []) throws -> String {
    do {
      let checkpoint = try open(tensors, metadata: metadata)
      for tensor in checkpoint.tensors { _ = try tensor.dequantized() }
      return "none; \(checkpoint.inventory.findings.map(\.reason))"
    } catch let error as ModelCheckpointError {
      #expect(!error.description.contains { $0.isNewline })
      return error.description
    }
  }

  // MARK: Shapes and types

  /// Codes and scales of each dialect, of which each test damages one.
  private static let good: [[Stored]] = [
    [
      Stored("a.weight", "U8", [4, 32], bitWidth: 8),
      Stored("a.weight_scale", "U8", [4, 2], bitWidth: 8),
    ],
    [
      Stored("a.weight", "U8", [4, 32], bitWidth: 8),
      Stored("a.weight_scale", "F8_E4M3", [4, 4], bitWidth: 8), Stored("a.weight_scale_2", [], [1]),
    ],
    [
      Stored("a.weight_packed", "U8", [4, 32], bitWidth: 8),
      Stored("a.weight_scale", "F8_E4M3", [4, 4], bitWidth: 8),
      Stored("a.weight_global_scale", [1], [1]),
    ],
    [
      Stored("a.weight", "U32", [4, 8], bitWidth: 32), Stored("a.scales", [4, 1], [1, 2, 3, 4]),
      Stored("a.biases", [4, 1], [1, 2, 3, 4]),
    ],
    [
      Stored("a.weight", "U32", [4, 8], bitWidth: 32),
      Stored("a.scales", "U8", [4, 2], bitWidth: 8),
    ],
    [
      Stored("a.weight_packed", "I32", [4, 8], bitWidth: 32),
      Stored("a.weight_scale", [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]),
      Stored(
        "a.weight_shape", "I64", [2], [4, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0]),
    ],
    [
      Stored("a.weight", "F8_E4M3", [4, 64], bitWidth: 8),
      Stored("a.weight_scale", [4, 1], [1, 2, 3, 4]),
    ],
  ]

  @Test("Scales in rows of their own are refused, though their number is right", arguments: 0..<7)
  func shapes(_ index: Int) throws {
    let good = Self.good[index]
    #expect(try error(good) == "none; []")
    for (place, tensor) in good.enumerated() where tensor.shape.count == 2 {
      let count = tensor.shape[0] * tensor.shape[1]
      for shape in [
        [1, count], [count, 1], [tensor.shape[1], tensor.shape[0]], [count], [count / 2, 2],
      ]
      where shape != tensor.shape && !(shape == [4] && tensor.name.hasSuffix("_scale")) {
        var changed = good
        changed[place].shape = shape
        let found = try error(changed)
        #expect(!found.hasPrefix("none"), "\(tensor.name) of shape \(shape)")
      }
    }
  }

  @Test("Codes and scales of types that they never have are refused or told of", arguments: 0..<7)
  func types(_ index: Int) throws {
    let good = Self.good[index]
    for (place, tensor) in good.enumerated() {
      let width = tensor.bytes.count / max(tensor.shape.reduce(1, *), 1)
      let types = [
        ["BOOL", "F8_E5M2", "F8_E4M3FNUZ"], ["I16", "U16"], [], ["I32", "F32", "U32"],
      ]
      for type in width > 4 ? ["U64", "F64"] : types[width - 1] where type != tensor.dtype {
        // Words that are no codes are values, and E5M2 codes are known, too.
        if index == 3, place == 0 { continue }
        if type == "F8_E5M2", tensor.dtype == "F8_E4M3", tensor.name == "a.weight" { continue }
        var changed = good
        changed[place].dtype = type
        let found = try error(changed)
        #expect(found != "none; []", "\(tensor.name) of \(type)")
      }
    }
  }

  @Test(
    "A part more or less is an incomplete weight or an error, and never a trap", arguments: 0..<7)
  func parts(_ index: Int) throws {
    let good = Self.good[index]
    for place in good.indices {
      var changed = good
      changed.remove(at: place)
      let checkpoint = try? open(changed)
      let isIncomplete = checkpoint.map { !$0.inventory.findings.isEmpty } ?? true
      let isScale = good[place].name.contains("scale") || good[place].name.hasSuffix("biases")
      #expect(isIncomplete || !isScale, "without \(good[place].name)")
    }
    for name in [
      "a.global_scale", "a.weight_scale_2", "a.weight_global_scale", "a.scales", "a.biases",
      "a.weight", "a.input_scale", "a.weight_scale_inv", "a.scale", "a.weight_shape",
      "a.weight_zero_point", "a.weight_g_idx",
    ] where !good.contains(where: { $0.name == name }) {
      for more in [Stored(name, [], [1]), Stored(name, "U8", [4, 2], bitWidth: 8)] {
        #expect(try !error(good + [more]).isEmpty)
      }
    }
  }

  @Test("Tensors without elements are read, and extents that nothing could multiply refused")
  func extents() throws {
    let empty = try open([
      Stored("a.weight", "U8", [0, 32], []), Stored("a.weight_scale", "U8", [0, 2], []),
      Stored("b", "F32", [3, 0], []),
    ])
    #expect(empty.tensors.map(\.shape) == [[0, 64], [3, 0]])
    for tensor in empty.tensors { #expect(try tensor.dequantized().elements == []) }
    #expect(try empty.compared(to: empty).verdict == .identical)
    for shape in [[0, 1 << 48, 2], [0, .max, .max], [0, 1 << 62]] {
      for dtype in ["F32", "U8", "U32", "I32", "F8_E4M3"] {
        for name in ["a", "a.weight", "a.weight_packed", "a_blocks"] {
          let others = [
            Stored("a.weight_scale", "U8", [0, 1 << 58], []),
            Stored("a.scales", "U8", [0, .max], []),
            Stored("a_scales", "U8", [0, .max], []), Stored("a.biases", "F32", [0, .max], []),
          ]
          #expect(try error([Stored(name, dtype, shape, [])] + others).contains("is not possible"))
        }
      }
    }
    // MLX and packed integers divide by extents.
    for scales in [[0, 0], [2, 0], [0]] {
      let found = try error([
        Stored("a.weight", "U32", scales.dropLast() + [8], bitWidth: 32),
        Stored("a.scales", "U8", scales, []),
      ])
      #expect(!found.hasPrefix("none"))
    }
  }

  @Test("Shapes of packed integers that say anything are refused")
  func weightShape() throws {
    for extents in [
      [0, 64], [4, 0], [-4, -64], [4, .max], [.max, 64], [4, 1 << 60], [1, 256], [64, 4], [8, 32],
      [4, 63], [5, 64], [1 << 32, 1 << 32],
    ] {
      var tensors = Self.good[5]
      tensors[2].bytes = extents.flatMap { extent in
        (0..<8).map { UInt8(truncatingIfNeeded: extent >> (8 * $0)) }
      }
      #expect(try error(tensors).contains("a.weight"), "\(extents)")
    }
  }

  // MARK: Numbers

  @Test("Scales that are zero, infinite or NaN decode to defined values")
  func numbers() throws {
    func values(_ scale: UInt8, _ tensorScale: Float) throws -> [Float] {
      var tensors = Self.good[1]
      tensors[0].bytes = [UInt8](repeating: 0x20, count: 128)
      tensors[1].bytes = [UInt8](repeating: scale, count: 16)
      tensors[2].bytes = littleEndian([tensorScale])
      return try Array(open(tensors).first.dequantized().elements[..<2])
    }
    // Codes 0 and 2, which are 0 and 1; the scale 0x38 is 1.
    #expect(try values(0x38, 2) == [0, 2])
    #expect(try values(0x38, 0) == [0, 0])
    #expect(try values(0, 2) == [0, 0])
    #expect(try values(0xB8, 2) == [0, -2])
    #expect(try values(0x7F, 2).allSatisfy(\.isNaN))
    #expect(try values(0x38, .nan).allSatisfy(\.isNaN))
    let infinite = try values(0x38, .infinity)
    #expect(infinite[0].isNaN && infinite[1] == .infinity)
    // The reciprocal of compressed-tensors.
    var tensors = Self.good[2]
    tensors[0].bytes = [UInt8](repeating: 0x20, count: 128)
    tensors[1].bytes = [UInt8](repeating: 0x38, count: 16)
    tensors[2].bytes = littleEndian([0])
    let found = try open(tensors).first.dequantized().elements
    #expect(found[0].isNaN && found[1] == .infinity)
    // E8M0 NaN.
    tensors = Self.good[0]
    tensors[1].bytes = [0xFF, 0, 127, 252, 1, 2, 3, 4]
    let powers = try open(tensors).first.dequantized().elements
    #expect(powers[..<32].allSatisfy(\.isNaN) && powers[32...].allSatisfy(\.isFinite))
  }

  // MARK: Names

  @Test("Names with controls and of 10,000 characters stay within a line")
  func names() throws {
    for name in [
      "\u{1B}[2J\n\r\t\u{202E}", String(repeating: "n", count: 10_000), "", ".", "..", ".weight",
      "\u{0}", "a\u{0}b", "\"\\", String(repeating: ".", count: 300), "weight", "🙂",
    ] {
      for ending in ["", ".weight", ".weight_packed", "_blocks", "._weight_qdata"] {
        for type in ["U8", "F32", "U32", "F8_E4M3"] {
          let checkpoint = try open([
            Stored(
              name + ending, type, [2, 4], bitWidth: type == "U8" || type == "F8_E4M3" ? 8 : 32)
          ])
          for finding in checkpoint.inventory.findings {
            #expect(!finding.reason.unicodeScalars.contains { $0.value < 32 || $0.value == 0x202E })
            #expect(finding.reason.utf8.count < 1000)
          }
          let names = checkpoint.tensors.map(\.name) + checkpoint.inventory.findings.map(\.name)
          #expect(names == [name + ending])
        }
      }
    }
    // GGUF may have the one name that safetensors reserves.
    let gguf =
      Array("GGUF".utf8) + [3, 0, 0, 0] + [1, 0, 0, 0, 0, 0, 0, 0] + [0, 0, 0, 0, 0, 0, 0, 0]
      + [12, 0, 0, 0, 0, 0, 0, 0] + Array("__metadata__".utf8) + [1, 0, 0, 0]
      + [4, 0, 0, 0, 0, 0, 0, 0] + [0, 0, 0, 0] + [0, 0, 0, 0, 0, 0, 0, 0]
    let padded = gguf + [UInt8](repeating: 0, count: (32 - gguf.count % 32) % 32 + 32)
    let found = #expect(throws: ModelCheckpointError.self) {
      try ModelCheckpoint(path: folder.write(padded, as: "a.gguf"))
    }
    #expect(found?.description.contains("is reserved") == true)
  }

  @Test("GGUF's rows that are no whole blocks are refused by their type")
  func rows() throws {
    for (type, extents) in [
      (2, [33, 1]), (39, [16, 2]), (12, [255, 1]), (40, [32, 2]), (8, [1]),
    ] {
      var gguf = Array("GGUF".utf8) + [3, 0, 0, 0] + [1, 0, 0, 0, 0, 0, 0, 0]
      gguf +=
        [0, 0, 0, 0, 0, 0, 0, 0] + [1, 0, 0, 0, 0, 0, 0, 0, 0x61, UInt8(extents.count), 0, 0, 0]
      for extent in extents { gguf += [UInt8(extent), 0, 0, 0, 0, 0, 0, 0] }
      gguf += [UInt8(type), 0, 0, 0] + [0, 0, 0, 0, 0, 0, 0, 0]
      gguf += [UInt8](repeating: 0, count: 512)
      let error = #expect(throws: ModelCheckpointError.self) {
        try ModelCheckpoint(path: folder.write(gguf, as: "a.gguf"))
      }
      #expect(error?.description.contains("tensor 'a'") == true)
    }
  }

  // MARK: Text in files

  @Test("bitsandbytes' JSON of other blocks, shapes and kinds is refused")
  func quantState() throws {
    let table = Stored(
      "w.quant_map", [16], (0..<16).map { Float(ElementFormat.nf4.value(of: $0)) })
    func found(
      _ text: String, _ changes: (inout [Stored]) throws -> Void = { _ in }
    ) throws -> String {
      var tensors = [
        Stored("w", "U8", [128, 1], bitWidth: 8), Stored("w.absmax", [4], [1, 2, 3, 4]), table,
        Stored("w.quant_state.bitsandbytes__nf4", "U8", [text.utf8.count], Array(text.utf8)),
      ]
      try changes(&tensors)
      // What is told of stands before values that nothing reads.
      if let finding = try? open(tensors).inventory.findings.first { return finding.reason }
      return try error(tensors)
    }
    let good = #"{"blocksize":64,"shape":[4,64]}"#
    #expect(try found(good) == "none; []")
    for text in [
      "x", "{}", "[]", "null", #"{"blocksize":64}"#, #"{"blocksize":64,"shape":[]}"#,
      #"{"blocksize":0,"shape":[4,64]}"#, #"{"blocksize":-64,"shape":[4,64]}"#,
      #"{"blocksize":63,"shape":[4,64]}"#, #"{"blocksize":1e2,"shape":[4,64]}"#,
      #"{"blocksize":131072,"shape":[4,64]}"#, #"{"blocksize":64,"shape":[4,-64]}"#,
      #"{"blocksize":64,"shape":[4,63]}"#, #"{"blocksize":64,"shape":[4.5,64]}"#,
      #"{"blocksize":32,"shape":[4,64]}"#, #"{"blocksize":64,"shape":[4,9223372036854775807]}"#,
      #"{"blocksize":64,"shape":[9223372036854775807,9223372036854775807]}"#,
      #"{"blocksize":64,"shape":{"a":4}}"#, #"{"blocksize":"64","shape":[4,64]}"#,
      "{\"blocksize\":64,\"shape\":[4,64],\"a\":\(String(repeating: "[", count: 5000))",
    ] {
      #expect(try !found(text).hasPrefix("none"), "\(text.prefix(60))")
    }
    // Tables and maxima of another kind are told of.
    #expect(try found(good) { $0[2].bytes[0] ^= 1 }.contains("a table of its own"))
    let long = Stored("w.quant_map", [17], [Float](repeating: 0, count: 17))
    #expect(try found(good) { $0[2] = long }.contains("a table of its own"))
    #expect(try found(good) { $0[2].dtype = "I32" }.contains("a table of its own"))
    #expect(
      try found(good) { $0[1] = Stored("w.absmax", "U8", [4], bitWidth: 8) }
        .contains("quantized once more"))
    #expect(try found(good) { $0.remove(at: 1) }.contains("codes without"))
    #expect(try found(good) { $0.remove(at: 0) }.contains("which is not there"))
  }

  @Test("A state of a state does not take a tensor twice")
  func stateOfState() throws {
    let ending = ".quant_state.bitsandbytes__nf4"
    let text = Array(#"{"blocksize":64,"shape":[4,64]}"#.utf8)
    let table = (0..<16).map { Float(ElementFormat.nf4.value(of: $0)) }
    var tensors: [Stored] = []
    for name in ["w", "w" + ending] {
      tensors += [
        Stored(name + ".absmax", [4], [1, 2, 3, 4]), Stored(name + ".quant_map", [16], table),
      ]
    }
    tensors += [
      Stored("w", "U8", [128, 1], bitWidth: 8),
      Stored("w" + ending + ending, "U8", [text.count], text),
      Stored("w" + ending, "U8", [text.count], text),
    ]
    for order in [tensors, tensors.reversed()] {
      guard let checkpoint = try? open(order) else { continue }
      let names = checkpoint.tensors.flatMap(\.storedParts).map(\.name)
      #expect(Set(names).count == names.count)
    }
  }

  @Test("torchao's text of other kinds is refused, told of or passed over")
  func torchao() throws {
    let parts = [
      Stored("a._weight_qdata", "U8", [4, 32], bitWidth: 8),
      Stored("a._weight_scale", "F8_E8M0", [4, 2], bitWidth: 8),
    ]
    func found(_ text: String, names: String = #"["a.weight"]"#) throws -> String {
      try error(parts, metadata: [("tensor_names", names), ("a.weight", text)])
    }
    let good = #"{"_type":"MXTensor","_data":{"block_size":32,"elem_dtype":"fp4_e2m1"}}"#
    #expect(try found(good) == "none; []")
    #expect(try found(good, names: #"["a.weight","a.weight","b",1,null]"#) == "none; []")
    for text in [
      "{}", "[]", "null", "1", #"{"_type":1,"_data":2}"#, #"{"_type":"MXTensor"}"#,
      #"{"_type":"Float8Tensor","_data":{"block_size":32}}"#,
      #"{"_type":"MXTensor","_data":{"block_size":0,"elem_dtype":"fp4_e2m1"}}"#,
      #"{"_type":"MXTensor","_data":{"block_size":-1,"elem_dtype":"fp4_e2m1"}}"#,
      #"{"_type":"MXTensor","_data":{"block_size":9223372036854775807,"elem_dtype":"fp4_e2m1"}}"#,
      #"{"_type":"MXTensor","_data":{"block_size":16,"elem_dtype":"fp4_e2m1"}}"#,
      #"{"_type":"MXTensor","_data":{"block_size":32,"elem_dtype":"fp6_e2m3"}}"#,
      #"{"_type":"MXTensor","_data":{"block_size":32,"elem_dtype":{"_data":7}}}"#,
      #"{"_type":"MXTensor","_data":{"block_size":32,"elem_dtype":"fp4_e2m1","is_swizzled_scales":true}}"#,
      #"{"_type":"NVFP4Tensor","_data":{"block_size":16}}"#,
      #"{"_type":"NVFP4Tensor","_data":{"block_size":9223372036854775807}}"#,
      #"{"_type":"NVFP4Tensor","_data":{}}"#, "{", String(repeating: "[", count: 50_000),
    ] {
      #expect(try found(text) != "none; []", "\(text.prefix(80))")
    }
    for names in ["{", "", String(repeating: "[", count: 50_000)] {
      #expect(try found(good, names: names).contains("is not JSON"))
    }
    // Nothing is named: the codes stand alone.
    for names in ["[]", "{}", "null", "\"a.weight\"", "[[\"a.weight\"]]"] {
      #expect(try found(good, names: names).contains("codes without the scale"))
    }
  }
}
