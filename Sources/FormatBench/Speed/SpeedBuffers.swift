import BlockFormats
import FormatMetrics

/// The memory that all measurements of a run share; every page is written before the first.
///
/// Pages never written would be mapped in the middle of a measurement, and until then all of them
/// are the one page of zeros, which costs nothing to read.
///
/// Memory that a method returns stays valid until the same method is asked for more.
final class SpeedBuffers {
  /// Bytes from a page boundary on.
  private struct Block {
    let bytes: UnsafeMutableRawBufferPointer

    /// The largest pages in use, those of Apple silicon.
    private static let pageByteCount = 16 << 10

    init(byteCount: Int, filledWith byte: UInt8) {
      bytes = .allocate(byteCount: byteCount, alignment: Self.pageByteCount)
      bytes.initializeMemory(as: UInt8.self, repeating: byte)
    }
  }

  private let seed: UInt64
  private var valueBlocks: [ScalarType: Block] = [:]
  private var resultBlock: Block?
  private var packedBlock: Block?

  /// Buffers whose values follow from a seed.
  init(seed: UInt64) {
    self.seed = seed
  }

  deinit {
    let blocks = valueBlocks.values.map { $0 } + [resultBlock, packedBlock].compactMap { $0 }
    for block in blocks { block.bytes.deallocate() }
  }

  /// The first `count` values in a number type.
  func values(_ count: Int, as type: ScalarType) -> UnsafeRawBufferPointer {
    let byteCount = count * type.byteCount
    if let block = valueBlocks[type], block.bytes.count >= byteCount {
      return UnsafeRawBufferPointer(rebasing: block.bytes[..<byteCount])
    }
    let block = grown(valueBlocks[type], byteCount)
    valueBlocks[type] = block
    Self.fill(block.bytes, count: count, as: type, seed: seed)
    return UnsafeRawBufferPointer(block.bytes)
  }

  /// Memory for values that are decoded or moved.
  func result(byteCount: Int) -> UnsafeMutableRawBufferPointer {
    let block = grown(resultBlock, byteCount)
    resultBlock = block
    return UnsafeMutableRawBufferPointer(rebasing: block.bytes[..<byteCount])
  }

  /// Memory as large as stored codes and scales, for the limit's loop.
  func packed(byteCount: Int) -> UnsafeMutableRawBufferPointer {
    let block = grown(packedBlock, byteCount)
    packedBlock = block
    return UnsafeMutableRawBufferPointer(rebasing: block.bytes[..<byteCount])
  }

  /// The block itself where it is large enough, else a larger one in its place.
  private func grown(_ block: Block?, _ byteCount: Int) -> Block {
    if let block, block.bytes.count >= byteCount { return block }
    block?.bytes.deallocate()
    return Block(byteCount: byteCount, filledWith: 0x5A)
  }

  // MARK: - Values

  /// The fewest values worth a thread.
  private static let threadGrain = 1 << 16

  /// Normal values, those of each 32 with an amplitude of their own between 1/4 and 4.
  ///
  /// Drawing every value anew would take longer than all measurements: the values repeat after
  /// 2^16, under other amplitudes.
  static func floats(_ count: Int, seed: UInt64) -> [Float] {
    let normals = Distribution.normal.sample(vectors: 1, length: 1 << 16, seed: seed)
    let amplitudes = Distribution.uniform.sample(vectors: 1, length: 1 << 10, seed: seed &+ 1)
      .map { $0 < 0 ? 1 / (1 - 3 * $0) : 1 + 3 * $0 }
    return Parallelism.allCores.fill(count: count, grain: threadGrain) {
      (range: Range<Int>, values: UnsafeMutableBufferPointer<Float>) in
      for i in range {
        let block = UInt32(truncatingIfNeeded: i / 32) &* 0x9E37_79B9
        let value = normals[i & 0xFFFF] * amplitudes[Int(block >> 22)]
        values.initializeElement(at: i, to: value)
      }
    }
  }

  private static func fill(
    _ bytes: UnsafeMutableRawBufferPointer, count: Int, as type: ScalarType, seed: UInt64
  ) {
    let floats = floats(count, seed: seed)
    floats.withUnsafeBytes { source in
      switch type {
      case .float32: bytes.copyMemory(from: source)
      case .float16, .bfloat16:
        let quantizer = TensorQuantizer(
          format: CastFormat.cast(to: type == .float16 ? .fp16 : .bf16), shape: [count])
        var storage = quantizer.makeStorage()
        quantizer.encode(source, into: &storage)
        // Codes of 16 bits are stored as the little-endian number itself.
        bytes.copyBytes(from: storage["codes"].bytes)
      }
    }
  }
}
