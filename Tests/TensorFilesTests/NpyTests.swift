import Testing

@testable import TensorFiles

@Suite("NumPy array files")
struct NpyTests {
  private let folder: TemporaryFolder
  private var path: String { folder["file"] }

  init() throws {
    folder = try TemporaryFolder()
  }

  private func read(_ bytes: [UInt8]) throws -> NpyFile {
    try NpyFile(path: folder.write(bytes))
  }

  /// The header that NumPy 2.4.6 writes before an array, whose padding was read off files made by
  /// `np.save`: spaces up to the total, then a line feed.
  private func header(_ dictionary: String, total: Int, version: UInt8 = 1) -> [UInt8] {
    let prefix = version == 1 ? 10 : 12
    let padding = String(repeating: " ", count: total - prefix - dictionary.utf8.count - 1)
    return npy(dictionary + padding + "\n", version: version)
  }

  @Test("The writer's header is NumPy's, byte for byte")
  func writesHeader() throws {
    let ones = String(repeating: ", 1", count: 10)
    // Totals as written by np.save of NumPy 2.4.6 for zeros of these shapes. The last header would
    // fill 128 bytes exactly, where NumPy adds another 64.
    let cases: [([Int], String, Int)] = [
      ([], "()", 128), ([5], "(5,)", 128), ([2, 3], "(2, 3)", 128), ([2, 0, 3], "(2, 0, 3)", 128),
      ([0, 10, 10] + [Int](repeating: 1, count: 10), "(0, 10, 10\(ones))", 128),
      ([0, 10, 10] + [Int](repeating: 1, count: 11), "(0, 10, 10\(ones), 1)", 192),
    ]
    for (shape, tuple, total) in cases {
      let count = shape.reduce(1, *)
      try NpyWriter.write(floats: [Float](repeating: 0, count: count), shape: shape, to: path)
      let expected = header(
        "{'descr': '<f4', 'fortran_order': False, 'shape': \(tuple), }", total: total)
      #expect(try folder.read("file").prefix(total) == expected[...])
      #expect(try folder.read("file").count == total + 4 * count)
    }
  }

  @Test("Values and shapes survive a round trip bit for bit")
  func roundTrip() throws {
    let values = [0, -0, 1, -2.5, .infinity, 0x1p-149, Float(nan: 5, signaling: true), 3e38]
    for shape in [[8], [2, 4], [2, 1, 4], [1, 8, 1, 1]] {
      try NpyWriter.write(floats: values, shape: shape, to: path)
      let file = try NpyFile(path: path)
      #expect(file.shape == shape)
      #expect(file.elementCount == 8)
      #expect(file.dtype == .f32)
      #expect(try file.floats().map(\.bitPattern) == values.map(\.bitPattern))
    }
  }

  @Test("Files of every supported type are read as NumPy wrote them")
  func types() throws {
    // Headers and data as np.lib.format.write_array of NumPy 2.4.6 writes np.array([1, -2.5]) or
    // np.array([1, max]) of each type, in versions 1.0 to 3.0.
    func array(_ descriptor: String, _ data: [UInt8], version: UInt8 = 1) throws -> NpyFile {
      try read(
        header(
          "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (2,), }", total: 128,
          version: version) + data)
    }
    let little: [UInt8] = [0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0]
    for version: UInt8 in 1...3 {
      #expect(try array("<f4", little, version: version).floats() == [1, -2.5])
    }
    #expect(try array(">f4", [0x3f, 0x80, 0, 0, 0xc0, 0x20, 0, 0]).floats() == [1, -2.5])
    #expect(try array("<f2", [0, 0x3c, 0, 0xc1]).floats() == [1, -2.5])
    #expect(try array(">f2", [0x3c, 0, 0xc1, 0]).floats() == [1, -2.5])
    let wideLittle: [UInt8] = [0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 4, 0xc0]
    #expect(try array("<f8", wideLittle).floats() == [1, -2.5])
    #expect(
      try array(">f8", [0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xc0, 4, 0, 0, 0, 0, 0, 0]).floats()
        == [1, -2.5])
    #expect(try array("<f8", wideLittle).dtype == .f64)
    #expect(try array("|u1", [1, 255]).integers() == [1, 255] as [UInt8])
    #expect(try array("<u2", [1, 0, 255, 255]).integers() == [1, 65535] as [UInt16])
    let wide = try array("<u4", [1, 0, 0, 0, 255, 255, 255, 255], version: 2)
    #expect(try wide.integers() == [1, .max] as [UInt32])
    let floatError = #expect(throws: TensorFileError.self) { try wide.floats() }
    #expect(
      floatError
        == .unsupportedDType(
          path: path, tensor: nil, dtype: "U32", supported: "F16, BF16, F32, F64"))
    let widthError = #expect(throws: TensorFileError.self) { try wide.integers(as: UInt8.self) }
    #expect(
      widthError == .unsupportedDType(path: path, tensor: nil, dtype: "U32", supported: "U8"))
  }

  @Test("Scalars and arrays without elements are arrays")
  func smallest() throws {
    for (shape, tuple, values) in [
      ([], "()", [3.5]), ([0], "(0,)", []), ([2, 0, 3], "(2, 0, 3)", []), ([1], "(1,)", [3.5]),
    ] as [([Int], String, [Float])] {
      for order in ["True", "False"] {
        let text = "{'descr': '<f4', 'fortran_order': \(order), 'shape': \(tuple), }"
        let file = try read(
          header(text, total: 128) + TensorData(name: "", shape: shape, values).bytes)
        #expect(file.shape == shape)
        #expect(try file.floats() == values)
      }
    }
  }

  @Test("Arrays in Fortran order come back row-major")
  func fortranOrder() throws {
    // The data of np.asfortranarray(np.arange(6, dtype='<f4').reshape(2, 3)) as NumPy 2.4.6 saves
    // it: 0 3 1 4 2 5.
    let text = "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }"
    let stored = TensorData(name: "", shape: [6], [0, 3, 1, 4, 2, 5] as [Float]).bytes
    #expect(try read(header(text, total: 128) + stored).floats() == [0, 1, 2, 3, 4, 5])
    // The value at an index is its row-major rank, so the column-major file holds these ranks.
    for shape in [[4], [1, 5], [5, 1], [33, 70], [2, 3, 4], [3, 1, 2, 5], [2, 3, 4, 5, 2]] {
      let count = shape.reduce(1, *)
      let stored = (0..<count).map { position -> UInt32 in
        var rest = position
        let index = shape.map { extent in
          defer { rest /= extent }
          return rest % extent
        }
        return UInt32(zip(shape, index).reduce(0) { $0 * $1.0 + $1.1 })
      }
      let tuple = shape.map { "\($0)," }.joined(separator: " ")
      let bytes = npy(
        "{'descr': '<u4', 'fortran_order': True, 'shape': (\(tuple))}",
        data: littleEndianBytes(stored))
      #expect(try read(bytes).integers() == (0..<UInt32(count)).map { $0 })
    }
  }

  @Test("Other spellings of the same dictionary are read, those of Python 2 too")
  func spellings() throws {
    for text in [
      "{'descr': '|u1', 'fortran_order': False, 'shape': (2L,), }",
      "{'descr': '|u1', 'fortran_order': False, 'shape': (1L, 2L), }",
      "{'descr':'|u1','fortran_order':False,'shape':(2,)}",
      "{ 'shape' : ( 2 , ) ,\n'fortran_order' : True , \"descr\" : \"|u1\" , } \n",
      "{'shape': (1, 2,), 'descr': '|u1', 'fortran_order': False}",
    ] {
      #expect(try read(npy(text, data: [7, 8])).integers() == [7, 8] as [UInt8], "\(text)")
    }
  }
}
