import BlockFormats
import CProductKernels
import FormatTestSupport
import Testing

@testable import QuantizedLinearAlgebra

@Suite("Kernels of narrow columns touch the memory that they are given only")
struct NarrowKernelMemoryTests {
  /// What kernels have a way of their own for.
  enum Kind: String, CaseIterable {
    case scaled, tensorScaled, offset, multiplied, added

    var isDecoded: Bool { self == .scaled || self == .tensorScaled || self == .offset }
    var unit: BKUnit { isDecoded ? BK_FLOAT32_FMA : BK_BFLOAT16_WIDE }
    var scaleProduct: BKScaleProduct { self == .added ? BK_ADDED_EXPONENTS : BK_MULTIPLIED }
    /// Units whose panels the columns become.
    var spreadUnits: [BKUnit] {
      isDecoded ? [BK_FLOAT32_FMA] : [BK_BFLOAT16_WIDE, BK_BFLOAT16_DOT]
    }
  }

  /// Rows, groups of some elements, and how many the last lacks.
  private static let extents = [
    (1, 1, 8, 0), (2, 3, 16, 0), (3, 2, 8, 3), (4, 1, 40, 39), (5, 2, 24, 7), (8, 0, 16, 0),
    (9, 3, 8, 1),
  ]

  @Test(
    "Every kind at every level, next to pages that trap and at odd places",
    arguments: Kind.allCases, [BK_NIBBLES, BK_BYTES, BK_HALVES])
  func places(kind: Kind, form: BKCodeForm) {
    guard kind.isDecoded || form == BK_NIBBLES else { return }
    let elementByteCounts = [BK_NIBBLES: 0.5, BK_BYTES: 1, BK_HALVES: 2]
    let memory = (0..<8).map { _ in GuardedMemory(1 << 15) }
    for (seed, (rows, groups, length, missing)) in Self.extents.enumerated() {
      var numbers = KernelNumbers(seed: seed)
      // Only rows of FP32 end in the middle of a group.
      let depth = groups * length - (kind.isDecoded && groups > 0 ? missing : 0)
      let row = numbers.floats(rows * depth).map { value in
        kind.isDecoded ? value : Float(bitPattern: value.bitPattern & 0xFFFF_0000)
      }
      let isAdded = kind == .added
      let rowScales =
        isAdded
        ? numbers.powersOfTwo(rows * groups).map {
          Float(bitPattern: $0.bitPattern &- Float(1).bitPattern)
        } : numbers.floats(rows * groups)
      let elementCount = groups * length * Int(BK_PANEL)
      // Halves of usual size.
      let panel =
        form == BK_HALVES
        ? numbers.floats(elementCount).map { UInt16($0.bitPattern >> 16) }
          .withUnsafeBytes { Array($0) }
        : numbers.bytes(Int(Double(elementCount) * elementByteCounts[form]!))
      let count = groups * Int(BK_PANEL)
      let scales = isAdded ? numbers.powersOfTwo(count) : numbers.floats(count)
      let offsets = numbers.floats(count)
      var values = numbers.floats(16).map { Float(bitPattern: $0.bitPattern & 0xFFFF_0000) }
      // Codes of a sign and a magnitude, which some levels look up apart, in turn with others.
      if seed % 2 == 1 { values.replaceSubrange(8..., with: values[..<8].map { -$0 }) }
      let columns = 32 - seed * 5

      /// The results of both kernels.
      func run(_ table: BKProductKernels, _ place: KernelPlace) -> ([UInt32], Bool) {
        var shape = BKProductShape(
          unit: kind.unit, scale_product: kind.scaleProduct, flushes: false, groups: groups,
          words: length, scale_unit: 1, run: 0)
        let row = place.put(row, in: memory[0]), rowScales = place.put(rowScales, in: memory[1])
        let panel = place.put(panel, in: memory[2]), scales = place.put(scales, in: memory[3])
        let offsets = place.put(offsets, in: memory[4]), values = place.put(values, in: memory[5])
        var left = BKRows(
          elements: UnsafeRawPointer(row.baseAddress!).assumingMemoryBound(to: UInt8.self),
          stride: 4 * depth, scales: kind.isDecoded ? nil : UnsafePointer(rowScales.baseAddress),
          offsets: nil, middles: nil, sums: nil, rows: rows)
        var right = BKColumns(
          elements: UnsafePointer(panel.baseAddress!), scales: UnsafePointer(scales.baseAddress),
          middles: kind == .offset ? UnsafePointer(offsets.baseAddress) : nil, sums: nil)
        var codes = BKCodes(
          form: form, values: UnsafePointer(values.baseAddress!),
          tensor_scale: kind == .tensorScaled ? 0.37 : 1, depth: depth)
        let result = place.reserve((rows - 1) * 33 + columns, of: Float.self, in: memory[6])
        var target = BKResult(
          values: result.baseAddress!, stride: 33, columns: columns, tensor_scale: 1, alpha: 1,
          beta: 0, bias: nil)
        table.multiply_codes(&shape, &left, &right, &codes, &target)
        var found = result.map(\.bitPattern)
        var isIntact = place.isIntact(result, in: memory[6])
        for unit in kind.spreadUnits {
          shape.unit = unit
          let size = groups * length * Int(BK_PANEL) * (unit == BK_BFLOAT16_DOT ? 2 : 4)
          let spread = place.reserve(size / 4, of: UInt32.self, in: memory[7])
          spread.withMemoryRebound(to: UInt8.self) {
            table.spread_codes(&shape, &right, &codes, $0.baseAddress!)
          }
          found += spread
          isIntact = isIntact && place.isIntact(spread, in: memory[7])
        }
        return (found, isIntact)
      }

      let expected = run(productTable(.portable), .start).0
      for level in KernelLevel.supported {
        for place in KernelPlace.allCases {
          let (result, isIntact) = run(productTable(level), place)
          #expect(
            isIntact && result == expected, "\(rows) rows, \(groups) groups, \(level.id), \(place)")
        }
      }
    }
  }
}
