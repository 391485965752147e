import Testing

@testable import TensorFiles

@Suite("Types of GGUF tensors")
struct GGMLTypeTests {
  /// Number, name, elements and bytes of a block.
  ///
  /// From `gguf.constants` of gguf 0.19.0, but for Q8_1, of which it states 40 bytes where the
  /// structure in ggml's C code has 36, and for Q2_0, which it lacks: both are those of ggml 0.25.3.
  private static let published: [(id: UInt32, name: String, length: Int, bytes: Int)] = [
    (0, "F32", 1, 4), (1, "F16", 1, 2), (2, "Q4_0", 32, 18), (3, "Q4_1", 32, 20),
    (6, "Q5_0", 32, 22), (7, "Q5_1", 32, 24), (8, "Q8_0", 32, 34), (9, "Q8_1", 32, 36),
    (10, "Q2_K", 256, 84), (11, "Q3_K", 256, 110), (12, "Q4_K", 256, 144), (13, "Q5_K", 256, 176),
    (14, "Q6_K", 256, 210), (15, "Q8_K", 256, 292), (16, "IQ2_XXS", 256, 66),
    (17, "IQ2_XS", 256, 74), (18, "IQ3_XXS", 256, 98), (19, "IQ1_S", 256, 50),
    (20, "IQ4_NL", 32, 18), (21, "IQ3_S", 256, 110), (22, "IQ2_S", 256, 82),
    (23, "IQ4_XS", 256, 136), (24, "I8", 1, 1), (25, "I16", 1, 2), (26, "I32", 1, 4),
    (27, "I64", 1, 8), (28, "F64", 1, 8), (29, "IQ1_M", 256, 56), (30, "BF16", 1, 2),
    (34, "TQ1_0", 256, 54), (35, "TQ2_0", 256, 66), (39, "MXFP4", 32, 17), (40, "NVFP4", 64, 36),
    (41, "Q1_0", 128, 18), (42, "Q2_0", 64, 18),
  ]

  @Test("Every type has the number, name and block of ggml, and there are no others")
  func table() throws {
    #expect(GGMLType.all.count == Self.published.count)
    for (type, published) in zip(GGMLType.all, Self.published) {
      #expect(type.id == published.id)
      #expect(type.name == published.name && "\(type)" == published.name)
      #expect(type.blockLength == published.length, "\(type)")
      #expect(type.blockByteCount == published.bytes, "\(type)")
    }
  }

  @Test("A type is found by its number and by its name in any case")
  func lookup() {
    for type in GGMLType.all {
      #expect(GGMLType(id: type.id) == type)
      #expect(GGMLType(name: type.name) == type)
      #expect(GGMLType(name: type.name.lowercased()) == type)
    }
    let numbers = Set(Self.published.map(\.id))
    for id in (0...255).filter({ !numbers.contains($0) }) + [.max] {
      #expect(GGMLType(id: id) == nil)
    }
    for name in ["", "Q4", "Q4_K_M", "GGML_TYPE_F32", " F32"] {
      #expect(GGMLType(name: name) == nil)
    }
  }

  @Test("Only whole blocks have a number of bytes, and only as many as an Int counts")
  func byteCounts() {
    for type in GGMLType.all {
      #expect(type.byteCount(ofElements: 0) == 0)
      #expect(type.byteCount(ofElements: 3 * type.blockLength) == 3 * type.blockByteCount)
      #expect(type.byteCount(ofElements: -type.blockLength) == nil)
      guard type.blockLength > 1 else { continue }
      #expect(type.byteCount(ofElements: type.blockLength + 1) == nil)
    }
    #expect(GGMLType.f64.byteCount(ofElements: .max) == nil)
    #expect(GGMLType.i8.byteCount(ofElements: .max) == .max)
  }
}
