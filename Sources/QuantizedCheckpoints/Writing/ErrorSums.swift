internal import BlockFormats

/// Sums of squares of values and of their errors, of those that are finite.
///
/// Values are added in stretches of fixed length and eight lanes, so that the sums do not depend on the number
/// of threads.
struct ErrorSums: Sendable {
  /// The squares of values.
  private(set) var signal = 0.0
  /// The squares of errors.
  private(set) var noise = 0.0

  /// The values that are added before their sum is.
  private static let stretch = 1 << 14

  /// Adds values, and how far the decoded ones are from them.
  mutating func add(_ values: [Float], _ decoded: [Float], _ parallelism: Parallelism) {
    let count = (values.count + Self.stretch - 1) / Self.stretch
    let parts = values.withUnsafeBufferPointer { values in
      decoded.withUnsafeBufferPointer { decoded in
        nonisolated(unsafe) let (values, decoded) = (values, decoded)
        return parallelism.map(count: count, grain: 4) { stretches in
          stretches.map { index in
            let range = index * Self.stretch..<min((index + 1) * Self.stretch, values.count)
            return Self.sums(
              UnsafeBufferPointer(rebasing: values[range]),
              UnsafeBufferPointer(rebasing: decoded[range]))
          }
        }
      }
    }
    for part in parts.joined() {
      signal += part.signal
      noise += part.noise
    }
  }

  private static func sums(
    _ values: UnsafeBufferPointer<Float>, _ decoded: UnsafeBufferPointer<Float>
  ) -> (signal: Double, noise: Double) {
    typealias Lanes = SIMD8<Double>
    var (signal, noise) = (Lanes.zero, Lanes.zero)
    let infinity = Lanes(repeating: .infinity)
    var index = 0
    func add(_ value: Lanes, _ decoded: Lanes) {
      let error = decoded - value
      // An infinite value has an error that is infinite or NaN, and NaN is not below anything.
      let isFinite = (error * error .< infinity) .& (value * value .< infinity)
      signal += (value * value).replacing(with: 0, where: .!isFinite)
      noise += (error * error).replacing(with: 0, where: .!isFinite)
    }
    func lanes(_ buffer: UnsafeBufferPointer<Float>, _ index: Int) -> Lanes {
      Lanes(
        UnsafeRawBufferPointer(buffer).loadUnaligned(
          fromByteOffset: 4 * index, as: SIMD8<Float>.self))
    }
    while index + 8 <= values.count {
      add(lanes(values, index), lanes(decoded, index))
      index += 8
    }
    for rest in index..<values.count {
      add(
        Lanes(Double(values[rest]), 0, 0, 0, 0, 0, 0, 0),
        Lanes(Double(decoded[rest]), 0, 0, 0, 0, 0, 0, 0))
    }
    return (signal.sum(), noise.sum())
  }
}
