import BlockFormats
import FormatMetrics
import Foundation
import Testing

@Suite("Built-in distributions")
struct DistributionTests {
  /// Bits of elements 0, 1, 63, 64, 1000 and 4095 of rows of 64 with seed 0x0123456789ABCDEF, written
  /// by Tests/Vectors/generators/gen_distributions.py.
  static let golden: [String: [UInt32]] = [
    "bdr": [0x3FFA_0DA3, 0xBF9B_ED5D, 0x3EA7_B12F, 0x3D49_A095, 0x3E99_9D2A, 0x3D22_2ADF],
    "uniform": [0x3F0B_1961, 0xBEB7_07CA, 0x3DCB_679F, 0x3E8F_3C91, 0x3E92_1FFB, 0x3DFC_9F4A],
    "normal": [0x3F3E_8FF8, 0xBEED_A904, 0x3DFF_978E, 0x3EB7_5DB0, 0x3EBB_3B22, 0x3E1E_F185],
    "laplace": [0x3F48_AA78, 0xBEE2_7CED, 0x3DD6_3A8A, 0x3EA8_05D0, 0x3EAC_0C7A, 0x3E06_CECC],
    "student_t": [0x3F19_2B3A, 0xBF79_3405, 0x3E7B_9685, 0x3EC1_7345, 0x3E85_7CAC, 0x3E27_D1EA],
    "log_normal": [0xC006_BAB2, 0x3F20_EF3A, 0xBF91_039D, 0xBFB7_1FE7, 0xBFB8_8322, 0x3F95_7E2A],
    "outlier_channels": [
      0x3F3E_8FF8, 0xBEED_A904, 0x3DFF_978E, 0x3EB7_5DB0, 0x3EBB_3B22, 0x3E1E_F185,
    ],
  ]

  @Test("Samples have the bits of an independent implementation", arguments: Distribution.allNamed)
  func goldenSamples(_ distribution: Distribution) throws {
    let sample = distribution.sample(vectors: 64, length: 64, seed: 0x0123_4567_89AB_CDEF)
    let expected = try #require(Self.golden[distribution.id])
    #expect([0, 1, 63, 64, 1000, 4095].map { sample[$0].bitPattern } == expected)
    if case .outlierChannels = distribution {
      #expect(sample[56].bitPattern == 0x4212_3E0E)  // column 56 is the outlier channel
    }
  }

  @Test("Threads and the number of rows do not change a sample", arguments: Distribution.allNamed)
  func determinism(_ distribution: Distribution) {
    let one = distribution.sample(vectors: 301, length: 100, seed: 77, parallelism: .threads(1))
    for threads in [2, 3] {
      #expect(
        one
          == distribution.sample(
            vectors: 301, length: 100, seed: 77, parallelism: .threads(threads)))
    }
    let head = distribution.sample(vectors: 10, length: 100, seed: 77)
    #expect(head == Array(one[..<1000]))
    #expect(head != distribution.sample(vectors: 10, length: 100, seed: 78))
    #expect(distribution.sample(vectors: 0, length: 100, seed: 1).isEmpty)
    #expect(distribution.sample(vectors: 100, length: 0, seed: 1).isEmpty)
  }

  /// Checks the share of values below each threshold against the distribution function.
  ///
  /// A count is binomial; six standard deviations are exceeded with probability 2·10^-9, for the up to
  /// 120 thresholds of this suite together under 3·10^-7 per choice of seeds. The seeds are fixed.
  func check(_ values: [Float], below thresholds: [Double], cdf: (Double) -> Double) {
    let n = Double(values.count)
    for threshold in thresholds {
      let p = cdf(threshold)
      let count = Double(values.count { Double($0) < threshold })
      #expect(abs(count - n * p) <= 6 * (n * p * (1 - p)).squareRoot(), "below \(threshold)")
    }
  }

  static let thresholds = [-4, -2, -1, -0.3, 0, 0.1, 0.6745, 1.5, 3]

  static func normalCDF(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }

  @Test("The shares below thresholds are those of the distribution functions")
  func distributionFunctions() {
    func sample(_ distribution: Distribution) -> [Float] {
      distribution.sample(vectors: 100, length: 1000, seed: 2024)
    }
    check(sample(.normal), below: Self.thresholds, cdf: Self.normalCDF)
    check(sample(.uniform), below: [-0.9, -0.5, 0, 0.25, 0.99]) { (1 + $0) / 2 }
    check(sample(.laplace), below: Self.thresholds) {
      $0 < 0 ? 0.5 * exp($0) : 1 - 0.5 * exp(-$0)
    }
    check(sample(.studentT(degreesOfFreedom: 1)), below: Self.thresholds) {
      0.5 + atan($0) / .pi
    }
    check(sample(.studentT(degreesOfFreedom: 2)), below: Self.thresholds) {
      0.5 + $0 / (2 * (2 + $0 * $0).squareRoot())
    }
    check(sample(.studentT(degreesOfFreedom: 5)), below: Self.thresholds) {
      let angle = atan($0 / 5.0.squareRoot())
      return 0.5 + (angle + sin(angle) * (cos(angle) + 2.0 / 3 * pow(cos(angle), 3))) / .pi
    }
    for sigma in [0.5, 1] {
      check(sample(.logNormal(sigma: sigma)), below: [-3, -1, -0.2, 0.2, 1, 3]) {
        let tail = 0.5 * Self.normalCDF(-log(abs($0)) / sigma)
        return $0 < 0 ? tail : 1 - tail
      }
    }
  }

  @Test("Uniform values stay in -1...1 and have mean 0 and variance 1/3")
  func uniformMoments() {
    let values = Distribution.uniform.sample(vectors: 100, length: 1000, seed: 8).map(Double.init)
    #expect(values.allSatisfy { abs($0) <= 1 })
    let n = Double(values.count)
    let mean = values.reduce(0, +) / n
    let square = values.reduce(0) { $0 + $1 * $1 } / n
    // Six standard deviations: Var x = 1/3, Var x² = 1/5 - 1/9 = 4/45.
    #expect(abs(mean) <= 6 * (1 / 3 / n).squareRoot())
    #expect(abs(square - 1 / 3) <= 6 * (4 / 45 / n).squareRoot())
  }

  @Test("BDR rows are normal with a half-normal deviation of their own")
  func bdrRows() {
    let length = 1024
    let values = Distribution.bdr.sample(vectors: 2000, length: length, seed: 12)
    var standardized: [Float] = []
    var deviations: [Float] = []
    for row in stride(from: 0, to: values.count, by: length) {
      let deviation =
        (values[row..<(row + length)].reduce(0.0) { $0 + Double($1) * Double($1) }
        / Double(length)).squareRoot()
      deviations.append(Float(deviation))
      standardized.append(Float(Double(values[row]) / deviation))
    }
    // The estimated deviation is off by 1/√2048 = 2.2 %, which moves a share p by at most
    // E(δ²)/2 · |d²p/dσ²| ≤ 0.0003, far inside the six standard deviations, ≥ 0.02 here.
    check(deviations, below: [0.3, 0.6745, 1, 1.7]) { 2 * Self.normalCDF($0) - 1 }
    check(standardized, below: [-2, -1, 0, 0.6745, 1.5], cdf: Self.normalCDF)
  }

  @Test("Outlier channels are the same columns in every row, in the number asked for")
  func outlierChannels() {
    let (rows, columns) = (400, 96)
    for (fraction, count) in [(0.0, 0), (0.02, 2), (0.25, 24), (1.0, 96)] {
      let distribution = Distribution.outlierChannels(fraction: fraction, scale: 100)
      let values = distribution.sample(vectors: rows, length: columns, seed: 31)
      let plain = Distribution.normal.sample(vectors: rows, length: columns, seed: 31)
      let scaled = (0..<columns).filter { values[$0] != plain[$0] }
      #expect(scaled.count == count)
      for index in values.indices {
        // The product is made in Double before it is rounded, hence one ulp of Float at most.
        let expected = plain[index] * (scaled.contains(index % columns) ? 100 : 1)
        #expect(abs(values[index] - expected) <= expected.ulp)
      }
    }
  }
}
