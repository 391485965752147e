import BlockFormats
import CBlockKernels
import FormatTestSupport
import Testing

@Suite("Kernels between FP32 and 16-bit numbers")
struct KernelNumberTests {
  /// The value of a binary16 code by its definition.
  private func half(_ code: UInt32) -> Float {
    let (field, fraction) = (Int(code >> 10 & 31), Float(code & 1023))
    let magnitude: Float =
      switch (field, fraction) {
      case (31, 0): .infinity
      case (31, _): .nan
      case (0, _): fraction * 0x1p-24
      default: (1 + fraction / 1024) * Float(sign: .plus, exponent: field - 15, significand: 1)
      }
    return magnitude.isNaN ? .nan : code >> 15 == 1 ? -magnitude : magnitude
  }

  /// The code of the nearest number, ties to even codes, of which the magnitudes ascend with the
  /// code; `value(most)` is the largest, and half a spacing above it begins infinity.
  private func nearest(
    _ number: Float, infinity: UInt32, nan: UInt32, value: (UInt32) -> Double
  ) -> UInt32 {
    let sign: UInt32 = number.sign == .minus ? 0x8000 : 0
    if number.isNaN { return nan }
    let magnitude = Double(number.magnitude)
    var (low, high): (UInt32, UInt32) = (0, infinity)
    // The last code whose value is not above the magnitude.
    while high - low > 1 {
      let middle = (low + high) / 2
      if value(middle) <= magnitude { low = middle } else { high = middle }
    }
    let (below, above) = (value(low), value(high))
    let middle = (below + above) / 2
    let isAway = magnitude > middle || (magnitude == middle && low % 2 == 1)
    return sign | (isAway ? high : low)
  }

  /// Magnitudes of codes, with what follows the largest in the place of infinity.
  private func halfMagnitude(_ code: UInt32) -> Double {
    code == 0x7C00 ? 65536 : Double(half(code))
  }

  private func bfloatMagnitude(_ code: UInt32) -> Double {
    code == 0x7F80 ? 0x1p128 : Double(Float(bitPattern: code << 16))
  }

  @Test("All codes of FP16 and BF16 widen to their values")
  func widen() {
    let codes = (0...65_535 as ClosedRange<UInt32>).map { UInt16($0) }
    for level in KernelLevel.supported {
      let table = kernelTable(level)
      for type in [BK_FLOAT16, BK_BFLOAT16] {
        let isHalf = type == BK_FLOAT16
        var values = [Float](repeating: 0, count: codes.count)
        table.widen(type, codes, codes.count, &values)
        let wrong = codes.indices.first {
          let expected = isHalf ? half(UInt32($0)) : Float(bitPattern: UInt32($0) << 16)
          return values[$0].bitPattern != expected.bitPattern
        }
        #expect(wrong == nil, "\(isHalf ? "fp16" : "bf16") on \(level.id)")
      }
    }
  }

  /// Numbers where rounding decides: every code of a kind, midpoints, and neighbours of both.
  private func decisive(infinity: UInt32, by step: Int, value: (UInt32) -> Double) -> [Float] {
    stride(from: 0, to: Int(infinity), by: step).flatMap { code -> [Float] in
      let (low, high) = (value(UInt32(code)), value(UInt32(code) + 1))
      let middle = Float((low + high) / 2)
      return [Float(low), middle, middle.nextUp, middle.nextDown, -middle, -Float(low).nextUp]
    } + [.nan, -.nan, .infinity, -.infinity, .signalingNaN, .greatestFiniteMagnitude]
      + [-.greatestFiniteMagnitude, .leastNonzeroMagnitude, -0.0]
  }

  @Test("FP32 narrows to the nearest number, ties to even: midpoints and neighbours of all codes")
  func narrow() {
    let step = Intensity.isDeep ? 1 : 23
    for isHalf in [true, false] {
      let infinity: UInt32 = isHalf ? 0x7C00 : 0x7F80
      let magnitude = isHalf ? halfMagnitude : bfloatMagnitude
      let values = decisive(infinity: infinity, by: step, value: magnitude)
      let expected = values.map {
        nearest($0, infinity: infinity, nan: isHalf ? 0x7E00 : 0x7FC0, value: magnitude)
      }
      for level in KernelLevel.supported {
        var codes = [UInt16](repeating: 0, count: values.count)
        kernelTable(level).narrow(isHalf ? BK_FLOAT16 : BK_BFLOAT16, values, values.count, &codes)
        let wrong = values.indices.first { UInt32(codes[$0]) != expected[$0] }
        #expect(
          wrong == nil, "\(wrong.map { "\(values[$0])" } ?? "") \(isHalf) on \(level.id)")
      }
    }
  }

  /// The code of any pattern by integers alone: quotient and remainder of the significand.
  private func narrowed(_ pattern: UInt32, isHalf: Bool) -> UInt16 {
    let magnitude = pattern & 0x7FFF_FFFF
    let sign = UInt16(truncatingIfNeeded: pattern >> 16) & 0x8000
    if magnitude > 0x7F80_0000 { return isHalf ? 0x7E00 : 0x7FC0 }
    let dropped: UInt64
    let significand: UInt64
    let base: UInt64
    if isHalf {
      let field = Int(magnitude >> 23)
      if field >= 143 { return sign | 0x7C00 }
      // Below 2^-14 the spacing stays 2^-24; 40 more bits dropped leave nothing.
      let shift = 13 + max(0, 113 - field)
      if shift > 40 { return sign }
      significand = UInt64(magnitude & 0x7F_FFFF) | (field > 0 ? 0x80_0000 : 0)
      dropped = UInt64(shift)
      base = field > 113 ? UInt64(field - 113) << 10 : 0
    } else {
      (significand, dropped, base) = (UInt64(magnitude), 16, 0)
    }
    let (quotient, remainder) = significand.quotientAndRemainder(dividingBy: 1 << dropped)
    let half: UInt64 = 1 << (dropped - 1)
    let isAway = remainder > half || (remainder == half && quotient % 2 == 1)
    return sign | UInt16(base + quotient + (isAway ? 1 : 0))
  }

  @Test("FP32 patterns narrow as integer arithmetic says: some in a usual run, all in a deep one")
  func narrowPatterns() {
    let batch = 1 << 14
    // An odd stride meets every low part of a pattern.
    let (batches, step): (Int, UInt32) = Intensity.isDeep ? (1 << 18, 1) : (3, 87_383)
    for isHalf in [true, false] {
      var pattern: UInt32 = 0
      var codes = [UInt16](repeating: 0, count: batch)
      for _ in 0..<batches {
        let patterns = (0..<UInt32(batch)).map { pattern &+ $0 &* step }
        pattern = patterns[batch - 1] &+ step
        let values = patterns.map { Float(bitPattern: $0) }
        let expected = patterns.map { narrowed($0, isHalf: isHalf) }
        for level in KernelLevel.supported {
          kernelTable(level).narrow(
            isHalf ? BK_FLOAT16 : BK_BFLOAT16, values, batch, &codes)
          if codes != expected {
            let index = codes.indices.first { codes[$0] != expected[$0] } ?? 0
            Issue.record("\(values[index]) becomes \(codes[index]) on \(level.id)")
            return
          }
        }
      }
    }
  }

  @Test("Numbers of every type, at every count and place, between protected pages")
  func places() {
    let memory = [GuardedMemory(4096), GuardedMemory(4096)]
    for level in KernelLevel.supported {
      let table = kernelTable(level)
      for (type, size) in [(BK_FLOAT32, 4), (BK_FLOAT16, 2), (BK_BFLOAT16, 2)] {
        for count in 0...70 {
          let values = (0..<count).map { Float($0) - 20 }
          for (wide, narrow) in [
            (memory[0].atStart(4 * count), memory[1].atEnd(size * count)),
            (memory[0].atEnd(4 * count), memory[1].atStart(size * count)),
          ] {
            values.withUnsafeBytes { wide.copyMemory(from: $0) }
            let floats = wide.baseAddress!.assumingMemoryBound(to: Float.self)
            table.narrow(type, floats, count, narrow.baseAddress!)
            wide.copyBytes(from: repeatElement(0xFF, count: 4 * count))
            table.widen(type, narrow.baseAddress!, count, floats)
            // Integers of up to eight bits are numbers of all three types.
            #expect(wide.bindMemory(to: Float.self).elementsEqual(values), "\(count)")
          }
        }
      }
    }
  }

  @Test("Streamed values arrive at any alignment, and nothing else")
  func stream() {
    let target = GuardedMemory(4096)
    for level in KernelLevel.supported {
      let table = kernelTable(level)
      for count in [0, 1, 3, 4, 7, 15, 16, 17, 31, 33, 64, 100, 129] {
        let values = (0..<count).map { Float($0) + 0.5 }
        for offset in 0..<68 {
          let part = target.patterned(4 * count, at: 128 + offset)
          table.stream(values, count, part.baseAddress!.assumingMemoryBound(to: Float.self))
          let isRight = values.withUnsafeBytes { part.elementsEqual($0) }
          if !isRight || !target.isIntact(outside: part) {
            Issue.record("\(count) values at \(offset) on \(level.id)")
          }
        }
      }
    }
  }
}
