public import BlockFormats
import CallerChecks
import NumericSupport

extension Distribution {
  /// The fewest elements worth a thread: one takes 20 to 200 ns, starting a thread some tens of
  /// microseconds.
  private static let threadGrain = 1 << 13

  /// Draws vectors.
  ///
  /// - Parameters:
  ///   - vectors: The number of rows, at least 0.
  ///   - length: The number of elements of a row, at least 0.
  ///   - seed: Any value; it determines the sample completely.
  ///   - parallelism: How many threads may work. The
  ///     sample is the same bits for every number.
  /// - Returns: The sample in row-major order, vectors · length values.
  /// - Precondition: The distribution's parameters are in the ranges stated at its case.
  /// - Complexity: O(vectors · length), times ν for `studentT`.
  public func sample(
    vectors: Int, length: Int, seed: UInt64, parallelism: Parallelism = .allCores
  ) -> [Float] {
    require(vectors >= 0, "the number of vectors is \(vectors), it must not be negative")
    require(length >= 0, "the vector length is \(length), it must not be negative")
    require(isValid, "a parameter of \(self) is out of its range")
    let source = RandomSource(seed: seed)
    let columnScales = outlierScales(length: length, source)
    return parallelism.fill(count: vectors * length, grain: Self.threadGrain) {
      (range: Range<Int>, values: UnsafeMutableBufferPointer<Float>) in
      switch self {
      case .bdr:
        var index = range.lowerBound
        while index < range.upperBound {
          let row = index / length
          let sigma = standardNormalQuantile(source.uniforms(row, stream: .rows).u).magnitude
          for i in index..<min((row + 1) * length, range.upperBound) {
            let x = sigma * standardNormalQuantile(source.uniforms(i).u)
            values.initializeElement(at: i, to: Float(x))
          }
          index = min((row + 1) * length, range.upperBound)
        }
      case .outlierChannels:
        for i in range {
          let x = columnScales[i % length] * standardNormalQuantile(source.uniforms(i).u)
          values.initializeElement(at: i, to: Float(x))
        }
      case .uniform, .normal, .laplace, .studentT, .logNormal:
        for i in range {
          values.initializeElement(at: i, to: Float(independentElement(i, source)))
        }
      }
    }
  }

  /// Returns element i of a distribution whose elements depend on nothing but their index.
  private func independentElement(_ i: Int, _ source: RandomSource) -> Double {
    let (u, v) = source.uniforms(i)
    switch self {
    case .uniform:
      return 2 * u - 1
    case .normal, .bdr, .outlierChannels:
      return standardNormalQuantile(u)
    case .laplace:
      return u < 0.5 ? naturalLogarithm(2 * u) : -naturalLogarithm(2 * (1 - u))
    case .studentT(let degreesOfFreedom):
      var sum = standardNormalQuantile(v)
      sum *= sum
      for term in 2..<max(2, degreesOfFreedom + 1) {
        let pair = source.uniforms(i, draw: UInt32(term / 2))
        let z = standardNormalQuantile(term.isMultiple(of: 2) ? pair.u : pair.v)
        sum += z * z
      }
      return standardNormalQuantile(u) / (sum / Double(degreesOfFreedom)).squareRoot()
    case .logNormal(let sigma):
      let magnitude = exponential(sigma * standardNormalQuantile(u))
      return v < 0.5 ? -magnitude : magnitude
    }
  }

  /// Returns the factor of every column: `scale` for an outlier channel, else 1.
  private func outlierScales(length: Int, _ source: RandomSource) -> [Double] {
    guard case .outlierChannels(let fraction, let scale) = self else { return [] }
    let keys = (0..<length).map { source.uniforms($0, stream: .columns).u }
    let order = (0..<length).sorted { (keys[$0], $0) < (keys[$1], $1) }
    var scales = [Double](repeating: 1, count: length)
    let outliers = Int((fraction * Double(length)).rounded(.toNearestOrAwayFromZero))
    for column in order.prefix(outliers) {
      scales[column] = scale
    }
    return scales
  }
}

/// The uniform numbers of `Distribution`, as a function of seed, index, draw and stream.
struct RandomSource: Sendable {
  /// The last counter word: what the index counts.
  enum Stream: UInt32 {
    case elements = 0
    case rows = 1
    case columns = 2
  }

  private let generator: Philox4x32

  init(seed: UInt64) {
    generator = Philox4x32(seed: seed)
  }

  /// Returns two independent uniform numbers of (0, 1), multiples of 2^-53 that avoid 0, 1/2 and 1.
  func uniforms(
    _ index: Int, draw: UInt32 = 0, stream: Stream = .elements
  ) -> (u: Double, v: Double) {
    let i = UInt64(index)
    let words = generator.block(
      counter: SIMD4(
        UInt32(truncatingIfNeeded: i), UInt32(truncatingIfNeeded: i >> 32), draw, stream.rawValue))
    return (Self.uniform(words[0], words[1]), Self.uniform(words[2], words[3]))
  }

  private static func uniform(_ low: UInt32, _ high: UInt32) -> Double {
    let k = (UInt64(high) << 32 | UInt64(low)) >> 12
    return (Double(k) + 0.5) * 0x1p-52
  }
}
