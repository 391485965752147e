import BlockFormats
import CBlockKernels
import CProductKernels
import FormatTestSupport

/// The product kernels of a supported level.
func productTable(_ level: KernelLevel) -> BKProductKernels {
  bk_product_kernels(BKLevel(rawValue: numericCast(level.number))).pointee
}

/// Where a kernel finds a buffer.
enum KernelPlace: String, CaseIterable {
  /// Directly behind a page that traps.
  case start
  /// Directly before one.
  case end
  /// One element away from a boundary of vectors, between patterns.
  case between

  /// Room for some numbers, all bytes of it set.
  func reserve<Number>(
    _ count: Int, of type: Number.Type, in memory: GuardedMemory
  ) -> UnsafeMutableBufferPointer<Number> {
    let size = MemoryLayout<Number>.stride
    let bytes =
      switch self {
      case .start: memory.atStart(size * count)
      case .end: memory.atEnd(size * count)
      case .between: memory.patterned(size * count, at: 128 + size)
      }
    bytes.initializeMemory(as: UInt8.self, repeating: 0xFF)
    return bytes.bindMemory(to: Number.self)
  }

  /// A copy of some numbers.
  func put<Number>(
    _ numbers: [Number], in memory: GuardedMemory
  ) -> UnsafeMutableBufferPointer<Number> {
    let buffer = reserve(numbers.count, of: Number.self, in: memory)
    _ = buffer.update(from: numbers)
    return buffer
  }

  /// Whether nothing around a buffer changed.
  func isIntact<Number>(
    _ buffer: UnsafeMutableBufferPointer<Number>, in memory: GuardedMemory
  ) -> Bool {
    self != .between || memory.isIntact(outside: UnsafeMutableRawBufferPointer(buffer))
  }
}

/// The offsets of the runs of a group, one product and one sum at a time.
func runOffsets(_ group: some Collection<Int8>, run: Int, bias: Int) -> [Int32] {
  let group = group.map { Int($0) }
  return stride(from: 0, to: group.count, by: 4 * run).map { first in
    var (low, high) = (0, 0)
    for index in first..<min(first + 4 * run, group.count) {
      if index % 4 < 2 { low -= bias * group[index] } else { high -= bias * group[index] }
    }
    return Int32(high) << 16 | Int32(UInt16(truncatingIfNeeded: low))
  }
}

/// Reproducible operands of kernels.
struct KernelNumbers {
  private var generator: SeededGenerator

  init(seed: Int) { generator = SeededGenerator(seed: UInt64(seed)) }

  mutating func bytes(_ count: Int, width: Int = 8) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next() >> 32) >> (8 - width) }
  }

  mutating func integers(_ count: Int) -> [Int8] {
    bytes(count).map { Int8(bitPattern: $0) }
  }

  mutating func integers(_ count: Int, in range: ClosedRange<Int8>) -> [Int8] {
    (0..<count).map { _ in Int8.random(in: range, using: &generator) }
  }

  mutating func integers16(_ count: Int, in range: ClosedRange<Int16>) -> [Int16] {
    (0..<count).map { _ in Int16.random(in: range, using: &generator) }
  }

  mutating func floats(_ count: Int) -> [Float] {
    (0..<count).map { _ in Float.random(in: -4...4, using: &generator) }
  }

  /// Powers of two whose products are normal numbers.
  mutating func powersOfTwo(_ count: Int) -> [Float] {
    (0..<count).map { _ in
      Float(sign: .plus, exponent: Int.random(in: -63...63, using: &generator), significand: 1)
    }
  }
}
