import BlockFormats
import CProductKernels
import FormatTestSupport
import Testing

@testable import QuantizedLinearAlgebra

@Suite("Product kernels touch the memory that they are given only")
struct ProductKernelMemoryTests {
  /// What `multiply` has a way of its own for.
  enum Kind: String, CaseIterable {
    case int8, nibbles, runs, nibbleRuns, int16, bfloat16, flushing, wide,
      wideFlushing, float32

    var unit: BKUnit {
      switch self {
      case .int8, .nibbles: BK_INT8
      case .runs, .nibbleRuns: BK_INT8_RUNS
      case .int16: BK_INT16
      case .bfloat16, .flushing: BK_BFLOAT16_DOT
      case .wide, .wideFlushing: BK_BFLOAT16_WIDE
      case .float32: BK_FLOAT32_FMA
      }
    }

    var multipliesIntegers: Bool {
      [BK_INT8, BK_INT8_RUNS, BK_INT16].contains(unit)
    }
    var flushes: Bool { self == .flushing || self == .wideFlushing }
    var hasNibbles: Bool { self == .nibbles || self == .nibbleRuns }
    var hasRuns: Bool { unit == BK_INT8_RUNS }
    /// The bias of columns of runs; integers of rows have no larger magnitudes.
    static let bias: Int8 = 31

    /// Bytes of columns, or those of their codes.
    var bytes: ClosedRange<Int8> { hasRuns ? 0...2 * Self.bias : .min ... .max }

    /// Words of columns.
    func columns(_ count: Int, _ numbers: inout KernelNumbers) -> [UInt8] {
      guard self == .runs else {
        return hasNibbles ? numbers.bytes(4 * count) : words(count, &numbers)
      }
      return numbers.integers(4 * count, in: bytes).map { UInt8(bitPattern: $0) }
    }

    /// Words of rows, and of columns of most kinds.
    func words(_ count: Int, _ numbers: inout KernelNumbers) -> [UInt8] {
      switch self {
      case .int8, .nibbles: return numbers.bytes(4 * count)
      case .runs, .nibbleRuns:
        return numbers.integers(4 * count, in: -Self.bias...Self.bias)
          .map { UInt8(bitPattern: $0) }
      case .int16:
        return numbers.integers16(2 * count, in: -4096...4095).withUnsafeBytes { Array($0) }
      case .bfloat16, .flushing:
        return numbers.floats(2 * count).map { UInt16($0.bitPattern >> 16) }
          .withUnsafeBytes { Array($0) }
      case .wide, .wideFlushing:
        return numbers.floats(count).map { $0.bitPattern & 0xFFFF_0000 }
          .withUnsafeBytes { Array($0) }
      case .float32: return numbers.floats(count).withUnsafeBytes { Array($0) }
      }
    }
  }

  /// All operands of a call.
  private struct Call {
    let kind: Kind
    let product: ScaleRange.Product
    let (rows, groups, words, columns): (Int, Int, Int, Int)
    let (stride, resultStride): (Int, Int)
    let elements: [UInt8]
    let scales: [Float]
    let offsets: [Int32]
    let panel: [UInt8]
    let panelScales: [Float]
    let (middles, sums, panelMiddles, panelSums): ([Float], [Float], [Float], [Float])
    let values: [Int8]
    let bias: [Float]
    let beta: Float
    let run: Int

    init(_ kind: Kind, _ product: ScaleRange.Product, _ e: (Int, Int, Int, Int), seed: Int) {
      var numbers = KernelNumbers(seed: seed)
      (self.kind, self.product) = (kind, product)
      let adds = product == .addedExponents
      (rows, columns) = (e.0, e.3)
      groups = kind == .float32 ? min(e.1, 1) : e.1
      words = kind.hasNibbles ? (e.2 + 1) / 2 * 2 : e.2
      run = [2, 4, 16][seed % 3]
      let total = groups * words
      stride = 4 * total + seed % 3 * 4
      resultStride = columns + seed % 2 * 3
      elements = Array(
        kind.words(rows * stride / 4, &numbers).prefix((rows - 1) * stride + 4 * total))
      let count = kind == .float32 ? 0 : groups
      // Added exponents come less their bias.
      scales =
        adds
        ? numbers.powersOfTwo(rows * count).map {
          Float(bitPattern: $0.bitPattern &- Float(1).bitPattern)
        } : numbers.floats(rows * count)
      var offsets: [Int32] = []
      for index in 0..<rows * count {
        let first = index / count * stride + index % count * 4 * words
        let group = elements[first..<first + 4 * words].map { Int8(bitPattern: $0) }
        offsets +=
          kind.hasRuns
          ? runOffsets(group, run: run, bias: Int(Kind.bias))
          : [group.reduce(0) { $0 - 128 * Int32($1) }]
      }
      self.offsets = offsets
      let columnCount = Int(BK_PANEL)
      let bytes = kind.columns(total * columnCount, &numbers)
      panel = kind.hasNibbles ? Array(bytes.prefix(bytes.count / 2)) : bytes
      panelScales =
        adds ? numbers.powersOfTwo(count * columnCount) : numbers.floats(count * columnCount)
      // Offsets of columns, of rows, of both and of none in turn.
      let mayHaveMiddles = kind.multipliesIntegers && !adds
      let hasRows = mayHaveMiddles && seed % 4 >= 2
      let hasColumns = mayHaveMiddles && seed % 4 % 2 == 1
      middles = numbers.floats(hasRows ? rows * count : 0)
      panelSums = numbers.floats(hasRows ? count * columnCount : 0)
      sums = numbers.floats(hasColumns ? rows * count : 0)
      panelMiddles = numbers.floats(hasColumns ? count * columnCount : 0)
      values = numbers.integers(16, in: kind.bytes)
      bias = seed % 2 == 0 ? numbers.floats(columns) : []
      beta = seed % 4 < 2 ? 0 : 0.5
    }

    var resultCount: Int { (rows - 1) * resultStride + columns }

    /// The old result: without a factor for it NaN, which would show.
    var old: [Float] {
      (0..<resultCount).map { beta == 0 ? .nan : Float($0) }
    }

    /// Runs a kernel with every operand at a place of its own.
    func run(
      _ table: BKProductKernels, _ place: KernelPlace, _ memory: [GuardedMemory], odd: Int
    ) -> (result: [UInt32], isIntact: Bool) {
      // The caller's result may lie at any byte.
      let size = 4 * resultCount
      let target: UnsafeMutableRawBufferPointer =
        switch place {
        case .start: memory[7].atStart(size)
        case .end: memory[7].atEnd(size)
        case .between: memory[7].patterned(size, at: 128 + odd)
        }
      old.withUnsafeBytes { target.copyMemory(from: $0) }
      var shape = BKProductShape(
        unit: kind.unit, scale_product: product.code, flushes: kind.flushes, groups: groups,
        words: words, scale_unit: 0x1p-3, run: run)
      let isGrouped = kind != .float32
      func given(_ numbers: [Float], _ index: Int) -> UnsafePointer<Float>? {
        numbers.isEmpty ? nil : UnsafePointer(place.put(numbers, in: memory[index]).baseAddress)
      }
      var left = BKRows(
        elements: UnsafePointer(place.put(elements, in: memory[0]).baseAddress!), stride: stride,
        scales: isGrouped ? UnsafePointer(place.put(scales, in: memory[1]).baseAddress) : nil,
        offsets: kind.unit == BK_INT8 || kind.hasRuns
          ? UnsafePointer(place.put(offsets, in: memory[2]).baseAddress) : nil,
        middles: given(middles, 8), sums: given(sums, 9), rows: rows)
      var right = BKColumns(
        elements: UnsafePointer(place.put(panel, in: memory[3]).baseAddress!),
        scales: isGrouped ? UnsafePointer(place.put(panelScales, in: memory[4]).baseAddress) : nil,
        middles: given(panelMiddles, 10), sums: given(panelSums, 11))
      var result = BKResult(
        values: target.baseAddress!.assumingMemoryBound(to: Float.self), stride: resultStride,
        columns: columns, tensor_scale: 1.5, alpha: -0.75, beta: beta,
        bias: bias.isEmpty ? nil : UnsafePointer(place.put(bias, in: memory[5]).baseAddress))
      if kind.hasNibbles {
        let values = place.put(values, in: memory[6])
        table.multiply_nibbles(&shape, &left, &right, values.baseAddress!, &result)
      } else {
        table.multiply(&shape, &left, &right, &result)
      }
      let bits = (0..<resultCount).map {
        target.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)
      }
      return (bits, place != .between || memory[7].isIntact(outside: target))
    }
  }

  private static let extents = [
    (1, 1, 1, 1), (2, 3, 2, 31), (3, 2, 1, 32), (5, 1, 9, 17), (7, 2, 4, 16), (9, 3, 5, 3),
    (14, 1, 7, 29), (29, 2, 3, 32), (8, 0, 4, 15),
  ]

  @Test(
    "Every unit at every level, next to pages that trap and at odd addresses",
    arguments: Kind.allCases, ScaleRange.Product.allCases)
  func places(kind: Kind, product: ScaleRange.Product) {
    // FP32 has no scales, and sums that are flushed have factors of any kind.
    guard product == .multiplied || kind != .float32,
      product != .addedExponents || !kind.flushes
    else { return }
    let memory = (0..<12).map { _ in GuardedMemory(1 << 15) }
    for (seed, extents) in Self.extents.enumerated() {
      let call = Call(kind, product, extents, seed: seed)
      let expected = call.run(productTable(.portable), .start, memory, odd: 0).result
      for row in 0..<call.rows {
        let line = expected[row * call.resultStride..<row * call.resultStride + call.columns]
        #expect(!line.contains(Float.nan.bitPattern), "\(extents)")
      }
      for level in KernelLevel.supported {
        for place in KernelPlace.allCases {
          for odd in place == .between ? [0, 1, 3, 4, 6, 60] : [0] {
            let outcome = call.run(productTable(level), place, memory, odd: odd)
            #expect(
              outcome.isIntact && outcome.result == expected,
              "\(extents) on \(level.id), \(place) \(odd)")
          }
        }
      }
    }
  }

  @Test("Every level has a table of its own without an empty entry")
  func tables() {
    for level in KernelLevel.supported {
      let table = productTable(level)
      #expect(UInt32(table.level.rawValue) == level.number && [4, 8, 16].contains(table.lanes))
      let first = MemoryLayout<BKProductKernels>.offset(of: \.multiply) ?? 0
      withUnsafeBytes(of: table) { bytes in
        let functions = bytes[first...].bindMemory(to: UInt.self)
        #expect(functions.count == 17 && functions.allSatisfy { $0 != 0 }, "\(level.id)")
      }
    }
  }
}
