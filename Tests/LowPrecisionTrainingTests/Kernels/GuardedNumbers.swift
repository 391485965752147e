import BlockFormats
import CTrainingKernels
import FormatTestSupport
import Testing

@testable import LowPrecisionTraining

/// FP32 numbers at an odd address, between bytes that nobody may change.
final class GuardedNumbers {
  let count: Int
  private let memory: UnsafeMutableRawBufferPointer
  private static let guardBytes = 80
  private let first: Int

  init(_ numbers: [Float], misalignment: Int) {
    count = numbers.count
    first = Self.guardBytes + misalignment
    memory = .allocate(byteCount: first + 4 * count + Self.guardBytes, alignment: 64)
    for i in memory.indices { memory[i] = Self.filler(i) }
    for (i, number) in numbers.enumerated() {
      memory.storeBytes(of: number.bitPattern, toByteOffset: first + 4 * i, as: UInt32.self)
    }
  }

  deinit { memory.deallocate() }

  var pointer: UnsafeMutablePointer<Float> {
    let start = memory.baseAddress.unsafelyUnwrapped + first
    return start.assumingMemoryBound(to: Float.self)
  }

  var bits: [UInt32] {
    (0..<count).map { memory.loadUnaligned(fromByteOffset: first + 4 * $0, as: UInt32.self) }
  }

  var areGuardsWhole: Bool {
    let guards = Array(0..<first) + Array(first + 4 * count..<memory.count)
    return guards.allSatisfy { memory[$0] == Self.filler($0) }
  }

  private static func filler(_ index: Int) -> UInt8 { UInt8(truncatingIfNeeded: 37 * index + 11) }
}

typealias Numbers = UnsafeMutablePointer<Float>

/// Runs kernels of every level on copies of arrays, and returns the arrays afterwards.
///
/// Records an issue where levels differ in a bit or bytes outside arrays change. Only the first level
/// has arrays at multiples of four bytes.
func onEveryLevel(
  _ arrays: [[Float]], sourceLocation: SourceLocation = #_sourceLocation,
  _ body: (BKTrainingKernels, [Numbers]) -> Void
) -> [[Float]] {
  var results: [[UInt32]]?
  // Levels of dot products, tiles and matrices have the functions of another level.
  let same: Set<KernelLevel> = [.avx512Dot, .avx512AMX, .neonDot, .neonMatrix]
  for level in KernelLevel.supported where !same.contains(level) {
    let table = TrainingKernels(level).table.pointee
    let guarded = arrays.map { GuardedNumbers($0, misalignment: results == nil ? 0 : 1) }
    body(table, guarded.map(\.pointer))
    #expect(
      guarded.allSatisfy { $0.areGuardsWhole }, "\(level.id) writes outside",
      sourceLocation: sourceLocation)
    let bits = guarded.map(\.bits)
    #expect(
      results == nil || results == bits, "\(level.id) differs", sourceLocation: sourceLocation)
    results = bits
  }
  return (results ?? []).map { $0.map(Float.init(bitPattern:)) }
}

/// A place that no kernel may change, in gaps between rows.
let untouched: Float = -12345.678

/// Half the distance of FP32 numbers at 1: the largest relative error of one rounding.
let halfUlp = 0x1p-24

/// What a sum of `count` numbers by the kernels' order may lose, relative to the sum of magnitudes.
func summationError(_ count: Int) -> Double { Double(count / 16 + 6) * halfUlp }

extension SeededGenerator {
  /// Numbers from `-range` to `range`.
  mutating func numbers(_ count: Int, range: Float = 2) -> [Float] {
    (0..<count).map { _ in Float.random(in: -range...range, using: &self) }
  }

  /// Rows with gaps between them.
  mutating func rows(_ rows: Int, _ columns: Int, stride: Int, range: Float = 2) -> [Float] {
    (0..<rows * stride).map {
      $0 % stride < columns ? Float.random(in: -range...range, using: &self) : untouched
    }
  }
}

/// The derivative of a function of several numbers by central differences.
func gradient(at x: [Double], step: Double = 1e-5, of f: ([Double]) -> Double) -> [Double] {
  var moved = x
  return x.indices.map { i in
    moved[i] = x[i] + step
    let above = f(moved)
    moved[i] = x[i] - step
    let below = f(moved)
    moved[i] = x[i]
    return (above - below) / (2 * step)
  }
}

/// What central differences of values of about 1 lose.
let differenceError = 2e-9

func expectClose(
  _ values: some Sequence<Float>, _ expected: [Double], _ note: @autoclosure () -> String = "",
  sourceLocation: SourceLocation = #_sourceLocation, within bound: (Int) -> Double
) {
  let worst = zip(values, expected).enumerated().first { index, pair in
    !(abs(Double(pair.0) - pair.1) <= bound(index))
  }
  if let worst {
    Issue.record(
      "\(note()) element \(worst.offset): \(worst.element), bound \(bound(worst.offset))",
      sourceLocation: sourceLocation)
  }
}

func dot(_ a: [Double], _ b: [Double]) -> Double {
  var sum = 0.0
  for i in a.indices { sum += a[i] * b[i] }
  return sum
}

func doubles(_ numbers: some Sequence<Float>) -> [Double] { numbers.map(Double.init) }
