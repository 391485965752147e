import CBlockKernels
import FormatTestSupport
import Testing

@testable import BlockFormats

@Suite("Encoding and decoding kernels keep to their rows")
struct KernelRowTests {
  private static let counts =
    Intensity.isDeep ? Array(0...130) : Array(0...18) + [31, 32, 33, 47, 63, 64, 65, 100, 128, 130]
  private static let units = [1, 2, 3, 4, 8, 12, 16, 32, 64]

  /// An element under saturation.
  private static func element(
    _ format: ElementFormat, _ rounding: RoundingRule = .toNearestOrEven
  ) throws -> BKElement {
    try #require(
      BKElement(
        format, encoder: ElementEncoder(format, rounding: rounding, overflow: .saturate),
        poison: format.nanCode ?? 0, scaling: .byRounding))
  }

  /// Memory at the end of a protected page for every argument.
  private struct Rows {
    let values = GuardedMemory(4096)
    let scales = GuardedMemory(4096)
    let codes = GuardedMemory(4096)
    let words = GuardedMemory(4096)
    let results = GuardedMemory(4096)
  }

  private func place<Value>(_ values: [Value], _ memory: GuardedMemory) -> UnsafeMutablePointer<
    Value
  > {
    let target = memory.atEnd(values.count * MemoryLayout<Value>.stride)
    values.withUnsafeBytes { target.copyMemory(from: $0) }
    return target.baseAddress!.assumingMemoryBound(to: Value.self)
  }

  @Test("Codes and values of rows of every length, with groups of every length")
  func rows() throws {
    let memory = Rows()
    for format in [ElementFormat.e4m3fn, .e2m3fn, .e2m1fn, .int8] {
      var element = try Self.element(format)
      var random = try Self.element(
        format, .stochastic(StochasticSource(seed: 0, randomBitCount: 32)))
      for count in Self.counts {
        for (number, unit) in Self.units.enumerated() {
          var input = KernelInput(format, seed: UInt64(count * 100 + unit))
          let groups = (count + unit - 1) / unit
          let values = input.block(number % 2 == 0 ? .ties : .normal, max(1, count)).prefix(count)
          let multipliers = (0..<groups).map { Float([1, 0.5, 4, 0.37][$0 % 4]) }
          let products = values.enumerated().map { $1 * multipliers[$0 / unit] }
          // Other products must not be promised to be tame.
          let promises =
            products.allSatisfy { $0.magnitude < element.tame_limit } ? [true, false] : [false]
          let codes = products.map { UInt8(format.code(for: Double($0))) }
          let decoded = codes.enumerated().map {
            Float(format.value(of: UInt32($1))) * multipliers[$0 / unit]
          }
          let values32 = place(Array(values), memory.values)
          let scales = place(multipliers, memory.scales)
          for level in KernelLevel.supported {
            let table = kernelTable(level)
            let label = "\(count) by \(unit) of \(format) on \(level.id)"
            for isTame in promises {
              let bytes = place([UInt8](repeating: 0xFF, count: count), memory.codes)
              _ = table.encode(
                &element, isTame, values32, count, scales, unit, nil, 4 * count, bytes)
              let encoded = UnsafeBufferPointer(start: bytes, count: count).elementsEqual(codes)
              #expect(encoded, "\(label)")
            }
            let bytes = place(codes, memory.codes)
            let floats = place([Float](repeating: 0, count: count), memory.results)
            table.decode(&element, BK_SCALE_BLOCK, bytes, count, scales, unit, 1, floats)
            #expect(
              UnsafeBufferPointer(start: floats, count: count).elementsEqual(decoded), "\(label)")
            let words = place([UInt32](repeating: ~0, count: count), memory.words)
            _ = table.encode_wide(&element, values32, count, scales, unit, nil, words)
            #expect(
              UnsafeBufferPointer(start: words, count: count).elementsEqual(
                codes.map(UInt32.init)), "\(label)")
            table.decode_wide(&element, BK_SCALE_BLOCK, words, count, scales, unit, 1, floats)
            #expect(
              UnsafeBufferPointer(start: floats, count: count).elementsEqual(decoded), "\(label)")
            // Random words have a row of their own; those of zero round toward zero.
            for isTame in promises {
              let codes = place([UInt8](repeating: 0xFF, count: count), memory.codes)
              let zeros = place([UInt32](repeating: 0, count: count), memory.words)
              _ = table.encode(
                &random, isTame, values32, count, scales, unit, zeros, 0, codes)
              #expect(
                UnsafeBufferPointer(start: codes, count: count).elementsEqual(
                  products.map {
                    UInt8(format.code(for: Double($0), rounding: .towardZero))
                  }), "\(label)")
            }
          }
        }
      }
    }
  }

  @Test("Scales of every number of blocks, with sub-blocks of every number")
  func scales() throws {
    let memory = [
      GuardedMemory(4096), GuardedMemory(4096), GuardedMemory(4096), GuardedMemory(4096),
    ]
    var shared = BKSharedScale()
    shared.product = 1
    shared.tame_limit = 0x1p90
    shared.threshold = (1 << 23, 1 << 23)
    (shared.bias, shared.greatest_code, shared.nan_code) = (127, 254, 255)
    (shared.greatest_subscale, shared.plain_end) = (3, 254)
    var floating = BKFloatScale(
      greatest: 448, tame_limit: 0x1p90, least_multiplier: 0, is_power_of_two: false, unit: 0,
      least: 0)
    var two = BKTwoLevelScale()
    two.scale = try Self.element(.e4m3fn)
    two.tame_limit = 0x1p90
    (two.factor, two.tensor_reciprocal) = (1, 1)
    for count in Self.counts where count > 0 {
      for spread in [1, 2, 3, 4, 8, 16, 20] {
        let blocks = (count + spread - 1) / spread
        let powers = (0..<count).map { $0 % 19 - 9 }
        let maxima = powers.map { Float(sign: .plus, exponent: $0, significand: 1.5).bitPattern }
        let blockCodes = (0..<blocks).map { block -> UInt8 in
          UInt8(127 + (powers[(block * spread)..<min((block + 1) * spread, count)].max() ?? 0))
        }
        let subscales = powers.indices.map {
          min(Int(blockCodes[$0 / spread]) - 127 - powers[$0], 3)
        }
        let exponents = powers.indices.map { Int(blockCodes[$0 / spread]) - 127 - subscales[$0] }
        func power(_ exponent: Int) -> Float {
          Float(sign: .plus, exponent: exponent, significand: 1)
        }
        let patterns = place(maxima, memory[0])
        let codesOfBlocks = place(blockCodes, memory[1])
        for level in KernelLevel.supported {
          let table = kernelTable(level)
          let label = "\(count) by \(spread) on \(level.id)"
          let codes = place([UInt8](repeating: 0, count: count), memory[2])
          let floats = place([Float](repeating: 0, count: count), memory[3])
          func expect(_ ownCodes: [UInt8]?, _ ownFloats: [Float]) {
            let codes = UnsafeBufferPointer(start: codes, count: count)
            let floats = UnsafeBufferPointer(start: floats, count: count)
            #expect(ownCodes.map { codes.elementsEqual($0) } ?? true, "\(label)")
            #expect(floats.elementsEqual(ownFloats), "\(label)")
          }
          #expect(
            table.shared_subscales(
              &shared, patterns, count, spread, codesOfBlocks, codes, floats))
          expect(subscales.map { UInt8($0) }, exponents.map { power(-$0) })
          table.shared_values(&shared, codesOfBlocks, codes, count, spread, floats)
          expect(nil, exponents.map(power))
          guard spread == 1 else { continue }
          #expect(table.shared_scales(&shared, patterns, count, 1, codes, floats))
          expect(powers.map { UInt8(128 + $0) }, powers.map { power(-$0 - 1) })
          let wide = memory[1].atEnd(4 * count).bindMemory(to: UInt32.self)
          #expect(table.float_scales(&floating, patterns, count, wide.baseAddress!, floats))
          let multipliers = maxima.map { 448 / Float(bitPattern: $0) }
          expect(nil, multipliers)
          #expect(wide.elementsEqual(multipliers.map { (1 / $0).bitPattern }), "\(label)")
          table.two_level_scales(&two, patterns, count, codes)
          let scales = maxima.map {
            UInt8(ElementFormat.e4m3fn.code(for: Double(Float(bitPattern: $0))))
          }
          #expect(table.two_level_multipliers(&two, patterns, count, codes, floats))
          expect(scales, scales.map { 1 / Float(ElementFormat.e4m3fn.value(of: UInt32($0))) })
          _ = place(blockCodes, memory[1])
        }
      }
    }
  }
}
