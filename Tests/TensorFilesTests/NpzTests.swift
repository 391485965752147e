import FormatTestSupport
import Foundation
import Testing

@testable import TensorFiles

@Suite("NumPy archives")
struct NpzTests {
  private let folder: TemporaryFolder
  private var path: String { folder["file"] }

  init() throws {
    folder = try TemporaryFolder()
  }

  /// BF16 of two bytes, and the type of the vectors of one byte.
  private static let voids: Set<TensorDType> = [.bf16, .f8E4M3]

  private static let vectors = Result {
    try VectorFile.load(ArchiveVectors.self, from: "npz/archives.json")
  }

  private func vector(_ name: String) throws -> ArchiveVectors.Case {
    try #require(Self.vectors.get().cases.first { $0.name == name })
  }

  private func dtype(_ numpy: String) -> TensorDType? {
    [
      "float16": .f16, "float32": .f32, ">f4": .f32, "float64": .f64, ">f8": .f64, "int64": .i64,
      "uint8": .u8, "uint16": .u16, "bool": .bool, "bfloat16": .bf16, "float8_e4m3fn": .f8E4M3,
    ][numpy]
  }

  private func isEqual(_ found: [Float], _ expected: [Float]) -> Bool {
    found.elementsEqual(expected) { $0.bitPattern == $1.bitPattern || $0.isNaN && $1.isNaN }
  }

  // MARK: Archives of NumPy

  @Test("Archives of NumPy hold what it put into them, and those of zipfile too")
  func archives() throws {
    let cases = try Self.vectors.get().cases
    #expect(cases.count >= 15)
    for item in cases {
      let file = try NpzFile(path: folder.write(Array(item.archive)), readingVoidAs: Self.voids)
      #expect(file.tensors.map(\.name) == item.tensors.map(\.name), "\(item.name)")
      #expect(file.otherMembers == item.others, "\(item.name)")
      #expect(file.hasNames && file.metadata.isEmpty)
      for expected in item.tensors {
        let label: Comment = "\(expected.name) of \(item.name)"
        let tensor = try #require(file.tensor(named: expected.name), label)
        #expect(tensor.dtype == dtype(expected.dtype), label)
        #expect(tensor.shape == expected.shape, label)
        #expect(tensor.elementCount == expected.shape.reduce(1, *), label)
        #expect(item.archive.indices.contains(tensor.byteRange.upperBound), label)
        if let bytes = expected.bytes?.bytes {
          #expect(try file.bytes(of: tensor) == bytes, label)
          #expect(throws: TensorFileError.self, label) { try file.floats(of: tensor) }
        }
        guard let values = expected.values?.values else { continue }
        #expect(isEqual(try file.floats(of: tensor), values), label)
        for range in [0..<values.count, 0..<values.count / 2, values.count / 3..<values.count] {
          let part = try file.floats(of: tensor, in: range)
          #expect(isEqual(part, Array(values[range])), label)
        }
        let isStored = !item.name.contains("compressed") && !item.name.contains("deflated")
        #expect(file.readsParts(of: tensor) == (isStored && !expected.fortran), label)
      }
      #expect(file.tensor(named: "absent") == nil)
    }
  }

  @Test("Integers come in their own width, and bytes of floats in the order of this library")
  func integers() throws {
    let item = try vector("savez_compressed of every type")
    let file = try NpzFile(path: folder.write(Array(item.archive)))
    let codes = try #require(file.tensor(named: "codes"))
    #expect(try file.integers(of: codes) == [0, 1, 2, 3, 4, 5] as [UInt8])
    let wide = try #require(file.tensor(named: "wide"))
    #expect(try file.integers(of: wide) == [1, 65535] as [UInt16])
    let error = #expect(throws: TensorFileError.self) {
      try file.integers(of: wide, as: UInt8.self)
    }
    #expect(
      error == .unsupportedDType(path: path, tensor: "wide", dtype: "U16", supported: "U8"))
    for (name, big) in [("double", "big"), ("columns", "big/single")] {
      let tensors = try [name, big].map { try #require(file.tensor(named: $0)) }
      #expect(try file.bytes(of: tensors[0]) == file.bytes(of: tensors[1]), "\(name)")
    }
    let columns = try #require(file.tensor(named: "columns"))
    let floats = try file.floats(of: columns)
    #expect(try file.bytes(of: columns) == littleEndianBytes(floats))
    let step = try #require(file.tensor(named: "step"))
    let refused = #expect(throws: TensorFileError.self) { try file.floats(of: step) }
    #expect(
      refused
        == .unsupportedDType(
          path: path, tensor: "step", dtype: "I64", supported: "F16, BF16, F32, F64"))
  }

  @Test("The name of a file, or else its first bytes, say that it is an archive of arrays")
  func opening() throws {
    let item = try vector("savez")
    for name in ["a", "B.NPZ"] {
      let file = try TensorFile(path: folder.write(Array(item.archive), as: name))
      #expect(file.hasNames && file.metadata.isEmpty && file.readsParts)
      #expect(file.tensors.map(\.name) == ["weight", "bias"])
      #expect(try file.floats(of: file.tensors[1]) == [1, -2.5, 0.1])
      #expect(try file.floats(of: file.tensors[1], in: 1..<2) == [-2.5])
      #expect(file.readsParts(of: file.tensors[0]))
    }
    let mixed = try vector("savez of every type")
    let file = try TensorFile(path: folder.write(Array(mixed.archive)), elements: .floats)
    #expect(!file.readsParts)
    #expect(file.tensors.map { file.readsParts(of: $0) } == mixed.tensors.map { !$0.fortran })

    let empty = Array(try vector("savez of nothing").archive)
    #expect(try TensorFile(path: folder.write(empty, as: "c.npz")).tensors.isEmpty)
    let unnamed = try folder.write(empty, as: "d")
    let error = #expect(throws: TensorFileError.self) { try TensorFile(path: unnamed) }
    #expect(error?.description.contains("is a zip archive, not a safetensors") == true)
  }

  @Test("A stored array lies where its tensor says")
  func places() throws {
    let bytes = Array(try vector("savez").archive)
    let file = try NpzFile(path: folder.write(bytes))
    for tensor in file.tensors {
      #expect(try Array(bytes[tensor.byteRange]) == file.bytes(of: tensor))
    }
  }

  // MARK: Void elements

  @Test("Void elements are refused unless the caller says what they are")
  func voidElements() throws {
    let item = try vector("savez of ml_dtypes")
    try folder.write(Array(item.archive))
    let oneByte: [TensorDType] = [.f8E5M2, .f8E4M3, .f8E8M0, .f8E4M3FNUZ, .f8E5M2FNUZ]
    for (named, tensor, dtype, candidates): (Set<TensorDType>, _, _, _) in [
      ([], "w", "'<V2'", [.bf16]), ([.f8E5M2], "w", "'<V2'", [.bf16]),
      ([.bf16], "scale", "'<V1'", oneByte),
    ] {
      let expected = TensorFileError.voidDType(
        path: path, tensor: tensor, dtype: dtype, candidates: candidates)
      #expect(throws: expected) { try NpzFile(path: path, readingVoidAs: named) }
      #expect(throws: expected) { try TensorFile(path: path, readingVoidAs: named) }
    }
    let file = try TensorFile(path: path, elements: .floats, readingVoidAs: Self.voids)
    #expect(try file.floats(of: file.tensors[0])[..<3] == [1, -2.5, 3.140625])
  }

  @Test("A void array in a file of its own is read as it is called", arguments: ["<", "|"])
  func voidArray(_ order: String) throws {
    func array(_ type: String, _ data: [UInt8], fortran: String = "False") -> [UInt8] {
      npy("{'descr': '\(type)', 'fortran_order': \(fortran), 'shape': (2, 2), }", data: data)
    }
    // 1, -2.5, 3.140625 and a NaN, as np.save of ml_dtypes 0.6.0 stores them.
    let data: [UInt8] = [0x80, 0x3f, 0x20, 0xc0, 0x49, 0x40, 0xc1, 0x7f]
    try folder.write(array(order + "V2", data))
    let error = TensorFileError.voidDType(
      path: path, tensor: nil, dtype: "'\(order)V2'", candidates: [.bf16])
    #expect(throws: error) { try NpyFile(path: path) }
    #expect(throws: error) { try NpyFile(path: path, elements: .floats, readingVoidAs: [.f8E8M0]) }
    let file = try NpyFile(path: path, elements: .floats, readingVoidAs: [.bf16])
    #expect(file.dtype == .bf16)
    #expect(
      try file.floats().map(\.bitPattern) == [0x3f80_0000, 0xc020_0000, 0x4049_0000, 0x7fc1_0000])
    #expect(try file.bytes() == data)
    try folder.write(array(order + "V2", data, fortran: "True"))
    let columns = try NpyFile(path: path, readingVoidAs: [.bf16])
    #expect(try columns.bytes() == [0x80, 0x3f, 0x49, 0x40, 0x20, 0xc0, 0xc1, 0x7f])

    for type in ["V1", "f1"] {
      try folder.write(array(order + type, [1, 2, 3, 4]))
      #expect(throws: TensorFileError.self) { try NpyFile(path: path) }
      for dtype: TensorDType in [.f8E5M2, .f8E4M3, .f8E8M0, .f8E4M3FNUZ, .f8E5M2FNUZ] {
        let file = try NpyFile(path: path, readingVoidAs: [dtype, .bf16])
        #expect(file.dtype == dtype)
        #expect(try file.bytes() == [1, 2, 3, 4])
        #expect(throws: TensorFileError.self) { try file.floats() }
      }
      // No type of one byte is read as floats.
      #expect(
        throws: TensorFileError.unsupportedDType(
          path: path, tensor: nil, dtype: "'\(order)\(type)'",
          supported: "<f2 <f4 <f8 >f2 >f4 >f8")
      ) {
        try NpyFile(path: path, elements: .floats, readingVoidAs: [.f8E5M2])
      }
    }
  }

  @Test("What void elements cannot be is a mistake of the caller")
  func voidMistakes() async {
    await #expect(processExitsWith: .failure) { _ = VoidTypes([.f16]) }
    await #expect(processExitsWith: .failure) { _ = VoidTypes([.bf16, .f8E5M2, .f8E4M3]) }
  }
}
