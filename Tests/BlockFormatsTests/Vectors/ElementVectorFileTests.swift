import BlockFormats
import FormatTestSupport
import Testing

@Suite("Element vectors of ml_dtypes, en-dtypes, NumPy and gfloat")
struct ElementVectorFileTests {
  private func format(_ name: String) throws -> ElementFormat {
    // gfloat's int8 is the MX element with its full range.
    name == "int8" ? .mxint8(range: .full) : try ElementFormat(parsing: name)
  }

  /// Whether two codes are the same value; all NaN codes are one.
  private func same(_ a: UInt32, _ b: Int, _ format: ElementFormat) -> Bool {
    a == UInt32(b) || (format.value(of: a).isNaN && format.value(of: UInt32(b)).isNaN)
  }

  private func isSame(_ a: Double, _ b: Float) -> Bool {
    Float(a).bitPattern == b.bitPattern || (a.isNaN && b.isNaN)
  }

  @Test("Codes decode to the values of ml_dtypes")
  func decode() throws {
    let paths = try VectorFile.paths(in: "elements/decode")
    #expect(paths.count >= 13)
    for path in paths {
      let file = try VectorFile.load(DecodeVectors.self, from: path)
      let format = try format(file.format)
      #expect(format.bitWidth == file.bits && !file.codes.isEmpty)
      for (code, value) in zip(file.codes, file.values.values) {
        #expect(isSame(format.value(of: UInt32(code)), value), "\(path): code \(code)")
      }
    }
  }

  @Test("Values encode to the codes of ml_dtypes under ties to even and special overflow")
  func encode() throws {
    for path in try VectorFile.paths(in: "elements/encode") {
      let file = try VectorFile.load(EncodeVectors.self, from: path)
      let format = try format(file.format)
      // ml_dtypes rounds ties between powers of two up, and has NaN for zero.
      let isPower = format == .e8m0fnu
      // HiFloat8 rounds ties away from zero.
      let rounding: RoundingRule =
        isPower || format == .hif8 ? .toNearestOrAway : .toNearestOrEven
      var failures: [String] = []
      for (input, code) in zip(file.inputs.values, file.codes) where !(isPower && input == 0) {
        let actual = format.code(for: Double(input), rounding: rounding, overflow: .special)
        if !same(actual, code, format) { failures.append("\(input) to \(actual), not \(code)") }
      }
      for item in file.differences ?? [] {
        let input = Double(item.input.values[0])
        let actual = format.code(for: input, rounding: rounding, overflow: .special)
        if !same(actual, item.exact, format) {
          failures.append("\(input) to \(actual), exactly \(item.exact)")
        }
      }
      #expect(failures.isEmpty, "\(path): \(failures.prefix(5))")
    }
  }

  @Test("Every deterministic rounding, saturating or not, gives gfloat's codes")
  func roundings() throws {
    let paths =
      try VectorFile.paths(in: "elements/rounding")
      + VectorFile.paths(in: "p3109", prefix: "encode_")
    var count = 0
    for path in paths {
      let file = try VectorFile.load(RoundingVectors.self, from: path)
      let format = try format(file.format)
      for item in file.cases {
        let rounding: RoundingRule
        switch item.mode {
        case .towardZero: rounding = .towardZero
        case .towardPositive: rounding = .up
        case .towardNegative: rounding = .down
        case .tiesToEven: rounding = .toNearestOrEven
        case .tiesToAway: rounding = .toNearestOrAway
        // The files state the random bits, which here follow from an index.
        case .stochastic, .stochasticFast, .stochasticFastest: continue
        }
        var failures: [String] = []
        for (input, code) in zip(file.inputs.values, item.codes) {
          let actual = format.code(
            for: Double(input), rounding: rounding,
            overflow: item.saturating ? .saturate : .special)
          if !same(actual, code, format) { failures.append("\(input) to \(actual), not \(code)") }
        }
        count += 1
        #expect(
          failures.isEmpty, "\(path) \(item.mode) \(item.saturating): \(failures.prefix(5))")
      }
    }
    #expect(count > 100)
  }

  @Test("Every code of every P3109 format of 3 to 8 bits has gfloat's value")
  func p3109() throws {
    var count = 0
    for path in try VectorFile.paths(in: "p3109", prefix: "values_") {
      for item in try VectorFile.load(P3109ValueVectors.self, from: path).formats {
        let format = try ElementFormat(parsing: item.name.lowercased())
        #expect(
          format
            == .p3109(
              width: item.bits, precision: item.precision,
              signedness: item.signed ? .signed : .unsigned,
              domain: item.extended ? .extended : .finite))
        for (code, value) in item.values.values.enumerated() {
          #expect(isSame(format.value(of: UInt32(code)), value), "\(item.name): code \(code)")
          count += 1
        }
        #expect(item.values.values.count == format.codeCount)
      }
    }
    #expect(count > 10_000)
  }
}
