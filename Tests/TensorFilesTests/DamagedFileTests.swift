import FormatTestSupport
import Testing

@testable import TensorFiles

@Suite("Damaged files")
struct DamagedFileTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  /// A small `.npy` file: 2 x 3 binary32, as NumPy writes it.
  private var array: [UInt8] {
    get throws {
      try NpyWriter.write(floats: [0, 1, 2, 3, 4, 5], shape: [2, 3], to: folder["a"])
      return try folder.read("a")
    }
  }

  @Test("A safetensors file cut at any byte is refused with the number of bytes it has")
  func truncatedSafetensors() throws {
    let whole = SafetensorsGoldenTests.mixed
    for count in whole.indices {
      let path = try folder.write(Array(whole.prefix(count)))
      let error = #expect(throws: TensorFileError.self) { try SafetensorsFile(path: path) }
      switch count {
      case 0: #expect(error == .emptyFile(path: path))
      case ..<8: #expect(error == .headerTruncated(path: path, needed: 8, available: count))
      case ..<384: #expect(error == .headerTruncated(path: path, needed: 384, available: count))
      default: #expect(error == .dataTruncated(path: path, needed: 13, available: count - 384))
      }
    }
  }

  @Test("A .npy file cut at any byte is refused with the number of bytes it has")
  func truncatedArray() throws {
    let whole = try array
    #expect(whole.count == 128 + 24)
    for count in whole.indices {
      let path = try folder.write(Array(whole.prefix(count)))
      let error = #expect(throws: TensorFileError.self) { try NpyFile(path: path) }
      switch count {
      case 0: #expect(error == .emptyFile(path: path))
      case ..<8: #expect(error == .headerTruncated(path: path, needed: 8, available: count))
      case ..<10: #expect(error == .headerTruncated(path: path, needed: 10, available: count))
      case ..<128: #expect(error == .headerTruncated(path: path, needed: 128, available: count))
      default: #expect(error == .dataTruncated(path: path, needed: 24, available: count - 128))
      }
    }
  }

  @Test("A safetensors file cut or extended after its header never opens")
  func extended() throws {
    let path = try folder.write(SafetensorsGoldenTests.mixed + [0])
    let error = #expect(throws: TensorFileError.self) { try SafetensorsFile(path: path) }
    #expect(error == .trailingBytes(path: path, count: 1))
    let arrayPath = try folder.write(try array + [0, 0])
    let arrayError = #expect(throws: TensorFileError.self) { try NpyFile(path: arrayPath) }
    #expect(arrayError == .trailingBytes(path: arrayPath, count: 2))
  }

  /// Every file that differs from `bytes` in one byte of the first `count`: by one bit, or by a
  /// byte that means something in a header; outside deep runs by five of these.
  private func variants(of bytes: [UInt8], in count: Int) -> [[UInt8]] {
    let telling: [UInt8] = Array("\"\\{}[](),:0919.-e '\n".utf8) + [0, 0x7f, 0x80, 0xc3, 0xff]
    var result: [[UInt8]] = []
    for index in 0..<count {
      let flips = (0..<8).map { bytes[index] ^ (UInt8(1) << $0) }
      let some = Array(flips.prefix(2)) + (0..<3).map { telling[(index * 3 + $0) % telling.count] }
      for replacement in Intensity.isDeep ? flips + telling : some where replacement != bytes[index]
      {
        var variant = bytes
        variant[index] = replacement
        result.append(variant)
      }
    }
    return result
  }

  @Test("A safetensors file with any header byte changed is refused or stays within bounds")
  func changedSafetensors() throws {
    let whole = SafetensorsGoldenTests.fourBit
    var refused = 0
    var opened = 0
    for bytes in variants(of: whole, in: whole.count - 2) {
      let path = try folder.write(bytes)
      do throws(TensorFileError) {
        let file = try SafetensorsFile(path: path)
        opened += 1
        var end = file.tensors.first?.byteRange.lowerBound ?? bytes.count
        for tensor in file.tensors {
          #expect(tensor.byteRange.lowerBound == end)
          end = tensor.byteRange.upperBound
          #expect(
            try file.bytes(of: tensor).count * 8 == tensor.elementCount * tensor.dtype.bitWidth)
        }
        #expect(end == bytes.count)
      } catch {
        refused += 1
        #expect(error.path == path)
        #expect(!error.description.contains { $0.isNewline })
      }
    }
    // Only another name or padding of other white space leaves the file valid.
    #expect(opened > 0 && refused > 9 * opened)
  }

  @Test("A .npy file with any header byte changed is refused or stays within bounds")
  func changedArray() throws {
    let whole = try array
    var refused = 0
    var opened = 0
    for bytes in variants(of: whole, in: 128) {
      let path = try folder.write(bytes)
      do throws(TensorFileError) {
        let file = try NpyFile(path: path)
        opened += 1
        #expect(file.elementCount == file.shape.reduce(1, *))
        #expect(try file.floats().count == file.elementCount)
      } catch {
        refused += 1
        #expect(error.path == path)
        #expect(!error.description.contains { $0.isNewline })
      }
    }
    #expect(opened > 0 && refused > opened)
  }

  @Test("Two megabytes of junk in a header are refused, whatever they are made of")
  func junk() throws {
    let count = 2_000_000
    func filled(_ text: String) -> [UInt8] {
      Array(String(repeating: text, count: count / text.utf8.count).utf8)
    }
    let entry = #""a":{"dtype":"U8","shape":["#
    let cases: [(String, [UInt8])] = [
      ("spaces", filled(" ")), ("letters", filled("a")), ("brackets", filled("[")),
      ("objects", filled("{\"a\":")), ("an endless string", Array("{\"".utf8) + filled("a")),
      ("endless escapes", Array("{\"".utf8) + filled("\\n")),
      ("an endless number", Array("{\(entry)".utf8) + filled("9")),
      ("endless extents", Array("{\(entry)".utf8) + filled("1,")),
      ("zeros", [UInt8](repeating: 0, count: count)),
    ]
    for (label, header) in cases {
      let path = try folder.write(safetensors(header))
      #expect(throws: TensorFileError.self, "\(label)") { try SafetensorsFile(path: path) }
    }
  }
}
