import BlockFormats
import CBlockKernels
import FormatTestSupport
import Testing

@Suite("Kernels of magnitudes and errors")
struct KernelStepTests {
  private static let counts = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 100, 257, 600]
  private static let units = [1, 2, 3, 4, 5, 8, 12, 16, 24, 32, 40, 64, 128, 1000]

  private func values(_ count: Int, isWild: Bool, seed: UInt64) -> [Float] {
    var input = KernelInput(.e4m3fn, seed: seed)
    return input.block(isWild ? .patterns : .normal, count)
  }

  /// The largest magnitude pattern.
  private func maximum(_ values: some Sequence<Float>) -> UInt32 {
    values.reduce(0) { max($0, $1.bitPattern & 0x7FFF_FFFF) }
  }

  private func floats(_ buffer: UnsafeMutableRawBufferPointer) -> UnsafeMutablePointer<Float> {
    buffer.baseAddress!.assumingMemoryBound(to: Float.self)
  }

  @Test("Largest magnitudes of groups in a row, infinities and NaN among them")
  func rowMagnitudes() {
    let memory = GuardedMemory(4096)
    let results = GuardedMemory(4096)
    for (number, count) in Self.counts.enumerated() {
      let values = values(count, isWild: number % 2 == 0, seed: UInt64(count))
      let source = memory.atEnd(4 * count)
      values.withUnsafeBytes { source.copyMemory(from: $0) }
      for unit in Self.units {
        let groups = stride(from: 0, to: count, by: unit).map { $0..<min($0 + unit, count) }
        let expected = groups.map { maximum(values[$0]) }
        for level in KernelLevel.supported {
          let target = results.atEnd(4 * groups.count).bindMemory(to: UInt32.self)
          target.update(repeating: 7)
          kernelTable(level).row_magnitudes(floats(source), count, unit, target.baseAddress!)
          #expect(target.elementsEqual(expected), "\(count) by \(unit) on \(level.id)")
        }
      }
    }
  }

  @Test("Largest magnitudes of columns, and of finite values with what else there was")
  func columnMagnitudes() {
    let memory = GuardedMemory(4 * 9 * 300)
    let results = GuardedMemory(4096)
    let flagMemory = GuardedMemory(4096)
    for (number, columns) in [1, 3, 4, 8, 13, 16, 17, 32, 63, 64, 65, 130, 257].enumerated() {
      for (rows, padding) in [(1, 0), (2, 5), (9, 0), (7, 30)] {
        let stride = columns + padding
        // The last row ends with its columns.
        let count = (rows - 1) * stride + columns
        let values = values(count, isWild: number % 3 != 0, seed: UInt64(number))
        let source = memory.atEnd(4 * count)
        values.withUnsafeBytes { source.copyMemory(from: $0) }
        func group(_ range: Range<Int>) -> [Float] {
          (0..<rows).flatMap { row in range.map { values[row * stride + $0] } }
        }
        let expected = (0..<columns).map { maximum(group($0..<$0 + 1)) }
        for level in KernelLevel.supported {
          let table = kernelTable(level)
          let target = results.atEnd(4 * columns).bindMemory(to: UInt32.self)
          table.column_magnitudes(floats(source), rows, stride, columns, target.baseAddress!)
          #expect(
            target.elementsEqual(expected), "\(rows)x\(columns) of \(stride) on \(level.id)")
          for unit in [1, 2, 5, 16, 32, 300] {
            let groups = Swift.stride(from: 0, to: columns, by: unit).map {
              group($0..<min($0 + unit, columns))
            }
            let maxima = results.atEnd(4 * groups.count).bindMemory(to: UInt32.self)
            let flags = flagMemory.atEnd(groups.count).bindMemory(to: UInt8.self)
            table.finite_magnitudes(
              floats(source), rows, stride, columns, unit, maxima.baseAddress!,
              flags.baseAddress!)
            #expect(maxima.elementsEqual(groups.map { maximum($0.filter(\.isFinite)) }))
            #expect(
              flags.elementsEqual(
                groups.map { group in
                  (group.contains(where: \.isInfinite) ? 1 : 0)
                    | (group.contains(where: \.isNaN) ? 2 : 0)
                }), "\(rows)x\(columns) of \(stride) by \(unit) on \(level.id)")
          }
        }
      }
    }
  }

  /// Squared errors by their definition, each lane and each addition written out.
  private func squaredError(_ values: ArraySlice<Float>, _ decoded: ArraySlice<Float>) -> Double {
    var lanes = [Double](repeating: 0, count: 8)
    for (index, (value, result)) in zip(values, decoded).enumerated() where value.isFinite {
      let error = Double(result) - Double(value)
      lanes[index % 8] += error * error
    }
    let four = [lanes[0] + lanes[4], lanes[1] + lanes[5], lanes[2] + lanes[6], lanes[3] + lanes[7]]
    return (four[0] + four[2]) + (four[1] + four[3])
  }

  @Test("Squared errors of blocks are added in the order of the definition")
  func squaredErrors() {
    let memory = [GuardedMemory(8192), GuardedMemory(8192), GuardedMemory(4096)]
    for length in [1, 2, 7, 8, 9, 15, 16, 17, 32, 33, 100] {
      for isWild in [false, true] {
        let blocks = 5
        let values = values(blocks * length, isWild: isWild, seed: UInt64(length))
        var decoded = values.map { $0 + Float(Int32(truncatingIfNeeded: $0.bitPattern)) * 0x1p-40 }
        decoded[0] = .infinity
        let sources = zip(memory, [values, decoded]).map { memory, values in
          let source = memory.atEnd(4 * values.count)
          values.withUnsafeBytes { source.copyMemory(from: $0) }
          return floats(source)
        }
        let errors = memory[2].atEnd(8 * blocks).bindMemory(to: Double.self)
        for level in KernelLevel.supported {
          kernelTable(level).squared_errors(
            sources[0], sources[1], blocks, length, errors.baseAddress!)
          for block in 0..<blocks {
            let range = block * length..<(block + 1) * length
            let expected = squaredError(values[range], decoded[range])
            #expect(
              errors[block].bitPattern == expected.bitPattern
                || (errors[block].isNaN && expected.isNaN),
              "block \(block) of \(length) on \(level.id)")
          }
        }
      }
    }
  }

  @Test("Groups with a value that did not decode to itself are marked, NaN to NaN being exact")
  func inexactGroups() {
    let memory = [GuardedMemory(4096), GuardedMemory(4096), GuardedMemory(4096)]
    for count in Self.counts {
      let values = values(count, isWild: true, seed: UInt64(count))
      for unit in Self.units {
        // One value changes in every other group, each time at another place.
        var decoded = values.map { $0.isNaN ? .nan : $0 == 0 ? -$0 : $0 }
        for (group, first) in stride(from: 0, to: count, by: unit).enumerated()
        where group % 2 == 1 {
          let place = first + group * 5 % min(unit, count - first)
          decoded[place] = values[place].isNaN ? 0 : values[place].nextUp
          if decoded[place] == values[place] { decoded[place] = .nan }
        }
        let groups = stride(from: 0, to: count, by: unit).map { $0..<min($0 + unit, count) }
        let expected = groups.map { group -> UInt8 in
          group.contains {
            values[$0] != decoded[$0] && !(values[$0].isNaN && decoded[$0].isNaN)
          } ? 1 : 0
        }
        for level in KernelLevel.supported {
          let sources = zip(memory, [values, decoded]).map { memory, values in
            let source = memory.atEnd(4 * count)
            values.withUnsafeBytes { source.copyMemory(from: $0) }
            return floats(source)
          }
          let flags = memory[2].atEnd(groups.count).bindMemory(to: UInt8.self)
          flags.update(repeating: 0)
          let table = kernelTable(level)
          table.mark_inexact(sources[0], sources[1], count, unit, flags.baseAddress!)
          #expect(flags.elementsEqual(expected), "\(count) by \(unit) on \(level.id)")
          // Marks stay.
          table.mark_inexact(sources[0], sources[0], count, unit, flags.baseAddress!)
          #expect(flags.elementsEqual(expected), "\(count) by \(unit) on \(level.id)")
        }
      }
    }
  }
}
