import BlockFormats
import CProductKernels
import FormatTestSupport
import Testing

/// Every kernel against a few lines of Swift, its buffers next to pages that trap.
@Suite("Kernels that make operands of products")
struct OperandKernelTests {
  private let memory = (0..<4).map { _ in GuardedMemory(1 << 15) }
  private static let counts = Array(0...20) + [31, 32, 33, 63, 64, 65, 97, 128, 130, 200, 321]

  /// Runs a kernel at every level with its buffers at every place.
  private func everywhere(_ body: (BKProductKernels, KernelPlace, String) -> Void) {
    for level in KernelLevel.supported {
      for place in KernelPlace.allCases {
        body(productTable(level), place, "\(level.id), \(place)")
      }
    }
  }

  @Test("Codes of every width become the integers of their table", arguments: 1...8)
  func maps(width: Int) {
    var numbers = KernelNumbers(seed: width)
    let bytes = numbers.integers(1 << width)
    let words = numbers.integers16(1 << width, in: .min ... .max)
    for count in Self.counts + [1 << width] {
      let codes =
        count == 1 << width ? (0..<count).map { UInt8($0) } : numbers.bytes(count, width: width)
      everywhere { table, place, label in
        let input = place.put(codes, in: memory[0])
        let table8 = place.put(bytes, in: memory[1])
        let table16 = place.put(words, in: memory[2])
        guard let start = input.baseAddress, let base8 = table8.baseAddress,
          let base16 = table16.baseAddress
        else { return }
        let narrow = place.reserve(count, of: Int8.self, in: memory[3])
        table.map_int8(start, count, UInt32(width), base8, narrow.baseAddress!)
        #expect(
          narrow.elementsEqual(codes.map { bytes[Int($0)] })
            && place.isIntact(narrow, in: memory[3]),
          "\(count) codes, \(label)")
        let wide = place.reserve(count, of: Int16.self, in: memory[3])
        table.map_int16(start, count, UInt32(width), base16, wide.baseAddress!)
        #expect(
          wide.elementsEqual(codes.map { words[Int($0)] }) && place.isIntact(wide, in: memory[3]),
          "\(count) codes, \(label)")
      }
    }
  }

  @Test("Sub-scales of every depth shift integers and join codes", arguments: [1, 2, 3, 5, 8, 16])
  func shifts(length: Int) {
    var numbers = KernelNumbers(seed: length)
    for count in Self.counts {
      for width in 1...3 {
        let deepest = (1 << width) - 1
        let shifts = numbers.bytes((count + length - 1) / length, width: width)
        let integers = numbers.integers16(count, in: -255...255)
        let codes = numbers.bytes(count, width: 8 - width)
        everywhere { table, place, label in
          let input = place.put(shifts, in: memory[0])
          let elements = place.put(integers, in: memory[1])
          table.scale_int16(
            elements.baseAddress!, count, length, input.baseAddress!, UInt32(deepest))
          let scaled = integers.indices.map {
            integers[$0] << (deepest - Int(shifts[$0 / length]))
          }
          #expect(
            elements.elementsEqual(scaled) && place.isIntact(elements, in: memory[1]),
            "\(count) elements, \(label)")
          let joined = place.put(codes, in: memory[2])
          table.join_shifts(
            joined.baseAddress!, count, length, input.baseAddress!, UInt32(8 - width))
          let expected = codes.indices.map { codes[$0] | shifts[$0 / length] << (8 - width) }
          #expect(
            joined.elementsEqual(expected) && place.isIntact(joined, in: memory[2]),
            "\(count) codes, \(label)")
        }
      }
    }
  }

  @Test("Offsets are -128 times the sums of groups", arguments: [1, 3, 4, 16, 20, 32, 100])
  func offsets(length: Int) {
    var numbers = KernelNumbers(seed: length)
    for count in Self.counts + [1023, 1024, 1025, 1056, 2048, 2049, 2100] {
      // The most negative integer everywhere, once.
      let elements = count == 2048 ? [Int8](repeating: -128, count: count) : numbers.integers(count)
      let expected = stride(from: 0, to: count, by: length).map { first in
        elements[first..<min(first + length, count)].reduce(Int32(0)) { $0 - 128 * Int32($1) }
      }
      everywhere { table, place, label in
        let input = place.put(elements, in: memory[0])
        let output = place.reserve(expected.count, of: Int32.self, in: memory[1])
        table.group_offsets(input.baseAddress!, count, length, output.baseAddress!)
        #expect(
          output.elementsEqual(expected) && place.isIntact(output, in: memory[1]),
          "\(count) elements, \(label)")
      }
    }
  }

  @Test(
    "Offsets of runs are the bias times the sums of both halves of words", arguments: [2, 4, 6, 16])
  func runOffsets(run: Int) {
    var numbers = KernelNumbers(seed: run)
    for words in [1, 2, 3, 4, 5, 8, 11, 32, 100] {
      for groups in [0, 1, 2, 3, 9] {
        for bias in [1, 12, 60, 127] {
          let count = 4 * words * groups
          // The most negative integer everywhere, once.
          let elements =
            bias == 60 ? [Int8](repeating: -128, count: count) : numbers.integers(count)
          let expected = (0..<groups).flatMap { group in
            QuantizedLinearAlgebraTests.runOffsets(
              elements[4 * words * group..<4 * words * (group + 1)], run: run, bias: bias)
          }
          everywhere { table, place, label in
            let input = place.put(elements, in: memory[0])
            let output = place.reserve(expected.count, of: Int32.self, in: memory[1])
            table.run_offsets(
              input.baseAddress!, groups, words, run, UInt32(bias), output.baseAddress!)
            #expect(
              output.elementsEqual(expected) && place.isIntact(output, in: memory[1]),
              "\(groups) groups of \(words) words, bias \(bias), \(label)")
          }
        }
      }
    }
  }

  @Test("The least BF16 number is found among zeros of both signs")
  func leastBFloat16() {
    var numbers = KernelNumbers(seed: 9)
    for count in Self.counts {
      for zeros in [0, 1, 2] {
        // Some zeros, or nothing else.
        let elements = numbers.integers16(count, in: .min ... .max).enumerated().map {
          UInt16(bitPattern: zeros == 2 || $0 % 3 < zeros ? $1 & .min : $1)
        }
        let expected = elements.map { UInt32($0 & 0x7FFF) }.filter { $0 > 0 }.min() ?? 1 << 16
        everywhere { table, place, label in
          let input = place.put(elements, in: memory[0])
          let least = input.withMemoryRebound(to: UInt8.self) {
            table.least_bfloat16($0.baseAddress!, count)
          }
          #expect(least == expected, "\(count) elements, \(label)")
        }
      }
    }
  }

  @Test("BF16 numbers widen with the odd one of a pair first, and without subnormal ones")
  func wideBFloat16() {
    var numbers = KernelNumbers(seed: 5)
    func wide(_ number: UInt16) -> UInt32 {
      UInt32(number & 0x7F80 == 0 ? number & 0x8000 : number) << 16
    }
    for words in [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 33] {
      // Every third number is subnormal, or zero.
      func halves(_ count: Int) -> [UInt16] {
        numbers.integers16(count, in: .min ... .max).enumerated().map {
          UInt16(bitPattern: $1) & ($0 % 3 == 0 ? 0x807F : 0xFFFF)
        }
      }
      let row = halves(2 * words)
      let ofRow = (0..<2 * words).map { wide(row[$0 ^ 1]) }
      let columns = Int(BK_PANEL)
      let panel = halves(2 * words * columns)
      let ofPanel = (0..<2 * words * columns).map { index in
        let (line, column) = index.quotientAndRemainder(dividingBy: columns)
        return wide(panel[2 * (line / 2 * columns + column) + (line % 2 ^ 1)])
      }
      everywhere { table, place, label in
        for (input, expected, kernel) in [
          (row, ofRow, table.widen_bfloat16_row), (panel, ofPanel, table.widen_bfloat16_panel),
        ] {
          let source = place.put(input, in: memory[0])
          let result = place.reserve(expected.count, of: UInt32.self, in: memory[1])
          source.withMemoryRebound(to: UInt8.self) { source in
            result.withMemoryRebound(to: UInt8.self) { result in
              kernel(source.baseAddress!, words, result.baseAddress!)
            }
          }
          #expect(
            result.elementsEqual(expected) && place.isIntact(result, in: memory[1]),
            "\(words) words, \(label)")
        }
      }
    }
  }

  @Test("Offsets of long groups are kept modulo 2^32")
  func longOffsets() {
    for level in KernelLevel.supported {
      for count in [1 << 16, 1 << 17, 3 << 16, 1 << 18] {
        let sum = Int32(truncatingIfNeeded: count * 128 * 128)
        var offset: Int32 = 1
        let elements = [Int8](repeating: -128, count: count)
        productTable(level).group_offsets(elements, count, count, &offset)
        #expect(offset == sum, "\(count) on \(level.id)")
      }
    }
  }

  @Test("Rows become panels word by word, absent columns zero", arguments: 0...Int(BK_PANEL))
  func interleave(rows: Int) {
    var numbers = KernelNumbers(seed: rows)
    for words in [0, 1, 2, 3, 5, 8, 17] {
      let stride = 4 * words + rows % 3 * 5
      let span = rows == 0 || words == 0 ? 0 : (rows - 1) * stride + 4 * words
      let elements = numbers.bytes(span)
      let expected = (0..<words * Int(BK_PANEL) * 4).map { index -> UInt8 in
        let (word, place) = index.quotientAndRemainder(dividingBy: 4 * Int(BK_PANEL))
        return place / 4 < rows ? elements[place / 4 * stride + 4 * word + place % 4] : 0
      }
      everywhere { table, place, label in
        let input = place.put(elements, in: memory[0])
        let output = place.reserve(expected.count, of: UInt8.self, in: memory[1])
        table.interleave(input.baseAddress!, stride, rows, words, output.baseAddress!)
        #expect(
          output.elementsEqual(expected) && place.isIntact(output, in: memory[1]),
          "\(words) words, \(label)")
      }
    }
  }

  @Test("Panels of bytes widen to 16 bits, words of four to two words of two")
  func widening() {
    var numbers = KernelNumbers(seed: 1)
    let line = 4 * Int(BK_PANEL)
    for words in [0, 1, 2, 3, 7, 16] {
      let panel = numbers.integers(words * line)
      let expected = (0..<words * line).map { index -> Int16 in
        let (half, place) = index.quotientAndRemainder(dividingBy: line / 2)
        return Int16(panel[half / 2 * line + place / 2 * 4 + half % 2 * 2 + place % 2])
      }
      everywhere { table, place, label in
        let input = place.put(panel.map { UInt8(bitPattern: $0) }, in: memory[0])
        let output = place.reserve(expected.count, of: Int16.self, in: memory[1])
        output.withMemoryRebound(to: UInt16.self) { words16 in
          words16.baseAddress!.withMemoryRebound(to: UInt8.self, capacity: 2 * expected.count) {
            table.widen_bytes(input.baseAddress!, words, $0)
          }
        }
        #expect(
          output.elementsEqual(expected) && place.isIntact(output, in: memory[1]),
          "\(words) words, \(label)")
      }
    }
  }

  @Test("Panels of codes join to nibbles and split to the integers of their table")
  func nibbles() {
    var numbers = KernelNumbers(seed: 2)
    let line = 4 * Int(BK_PANEL)
    let values = numbers.integers(16)
    for words in [0, 2, 4, 6, 14] {
      let panel = numbers.bytes(words * line, width: 4)
      let joined = (0..<words * line / 2).map { index -> UInt8 in
        let (pair, place) = index.quotientAndRemainder(dividingBy: line)
        return panel[2 * pair * line + place] | panel[(2 * pair + 1) * line + place] << 4
      }
      everywhere { table, place, label in
        let input = place.put(panel, in: memory[0])
        let output = place.reserve(joined.count, of: UInt8.self, in: memory[1])
        table.join_nibbles(input.baseAddress!, words, output.baseAddress!)
        #expect(
          output.elementsEqual(joined) && place.isIntact(output, in: memory[1]),
          "\(words) words, \(label)")
        let integers = place.put(values, in: memory[2])
        let back = place.reserve(panel.count, of: UInt8.self, in: memory[3])
        table.split_nibbles(output.baseAddress!, words, integers.baseAddress!, back.baseAddress!)
        #expect(
          back.elementsEqual(panel.map { UInt8(bitPattern: values[Int($0)]) })
            && place.isIntact(back, in: memory[3]), "\(words) words, \(label)")
      }
    }
  }
}
