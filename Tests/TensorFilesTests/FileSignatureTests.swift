import Testing

@testable import TensorFiles

@Suite("Files of other kinds")
struct FileSignatureTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  /// The local header of the first file in a zip archive, as Python's zipfile writes it.
  private static func zip(_ name: String) -> [UInt8] {
    Array("PK\u{3}\u{4}".utf8) + [20, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 16)
      + [UInt8(name.utf8.count), 0, 0, 0] + Array(name.utf8) + [1, 2, 3, 4]
  }

  /// The first bytes of a file of each kind but the three that are read.
  private static let foreign: [(bytes: [UInt8], found: String)] = [
    (Array("GGUF".utf8) + [3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], "a GGUF file"),
    (zip("model/data.pkl"), "a PyTorch checkpoint"),
    (zip("a.txt"), "a zip archive"), (Array("PK\u{3}\u{4}".utf8), "a zip archive"),
    (Array("PK\u{5}\u{6}".utf8), "a zip archive"),
    // torch.save of PyTorch 2.13 without its zip form, and pickle.dumps([1.5], protocol) of Python.
    (
      [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e, 0x80],
      "a PyTorch checkpoint"
    ),
    (
      [0x80, 4, 0x95, 14, 0, 0, 0, 0, 0, 0, 0, 0x5d, 0x94, 0x47, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0],
      "a Python pickle"
    ),
    ([0x80, 3, 0x5d, 0x71, 0, 0x47, 0x3f, 0xf8, 0, 0, 0, 0], "a Python pickle"),
    ([0x89] + Array("HDF\r\n\u{1a}\n".utf8) + [0, 0], "an HDF5 file"),
    ([0x1f, 0x8b, 8, 8, 0x27, 0x5f, 0xaa, 0x6a, 0], "a gzip archive"),
    (
      Array("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n".utf8),
      "a Git LFS pointer in place of the file"
    ),
    (Array(#"{"weight_map": {}}"#.utf8), "JSON text"), (Array("{}".utf8), "JSON text"),
    (Array("<!DOCTYPE html><title>".utf8), "an HTML page"),
  ]

  private func error(_ body: () throws -> Void) -> TensorFileError? {
    #expect(throws: TensorFileError.self) { try body() }
  }

  @Test("A file of another known kind is called by its name, by every reader")
  func foreignFiles() throws {
    for (bytes, found) in Self.foreign {
      let path = try folder.write(bytes)
      func unknown(_ expected: String) -> TensorFileError {
        .unknownType(path: path, expected: expected, found: found)
      }
      #expect(
        error { _ = try SafetensorsFile(path: path) } == unknown("a safetensors file"), "\(found)")
      #expect(error { _ = try NpyFile(path: path) } == unknown("a NumPy array file"), "\(found)")
      #expect(
        error { _ = try TensorFile(path: path) }
          == unknown("a safetensors, NumPy array or NumPy archive file"), "\(found)")
    }
  }

  @Test("Each of the kinds that are read is known to the readers of the others")
  func eachOther() throws {
    let kinds: [(path: String, name: String)] = [
      (
        try folder.write(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (0,)}"), as: "a"),
        "a NumPy array file"
      ),
      (try folder.write(SafetensorsGoldenTests.fourBit, as: "b"), "a safetensors file"),
      (try folder.write(Self.zip("x.npy"), as: "c"), "an archive of NumPy arrays (npz)"),
    ]
    for (path, found) in kinds {
      func unknown(_ expected: String) -> TensorFileError {
        .unknownType(path: path, expected: expected, found: found)
      }
      if found != kinds[0].name {
        #expect(error { _ = try NpyFile(path: path) } == unknown(kinds[0].name))
      }
      if found != kinds[1].name {
        #expect(error { _ = try SafetensorsFile(path: path) } == unknown(kinds[1].name))
      }
      if found != kinds[2].name {
        #expect(error { _ = try NpzFile(path: path) } == unknown(kinds[2].name))
      }
    }
  }

  @Test("Lengths that look like magic bytes of others are lengths where a header can follow")
  func ambiguousLengths() throws {
    // The lengths of the first two have the bytes of a pickle and of JSON text.
    for length in [0x280, 0x7b, 0x213c] {
      let text = " {}" + String(repeating: " ", count: length - 3)
      let file = try SafetensorsFile(path: folder.write(safetensors(text)))
      #expect(file.tensors.isEmpty)
    }
  }
}
