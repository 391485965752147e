import FormatTestSupport
import Testing

@testable import BlockFormats

/// Formats of tables, of quantized maxima, of two readings and of two scales, written a second time.
@Suite("Table formats and their kin against their definitions")
struct TableFormatTests {
  private static let tops: [ClosedRange<Int>] = [-3...3, -20...4, 100...127, -149 ... -120]

  // MARK: - Tables of the user's own

  private static let tables: [[Float]] = [
    [-1, -0.5, 0, 0.5, 1], [0, 7, -3, 2.5], [1, 2], [-8, -1, -0.0, 0, 3], [0.001, -0.002, 0.0005],
    (0..<256).map { Float($0) - 100 }, [0x1p64, 0, -0x1p60], [0x1p-64, -0x1p-70],
    // IQ4_NL's grid.
    [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113],
  ]

  @Test("Blocks of a table store amax in units of its largest magnitude, and the nearest values")
  func lut() {
    for (number, table) in Self.tables.enumerated() {
      let format = AbsmaxFormat.lut(values: table, block: .vector(length: 9))
      let most = table.map(\.magnitude).max() ?? 1
      for (turn, exponents) in Self.tops.enumerated() {
        let values = randomValues(90, exponents: exponents, seed: UInt64(10 * number + turn))
        let tensor = Tensor(values, shape: [90]).quantized(to: format)
        let (codes, scales) = (tensor["codes"].unpacked(), tensor["scales"].unpacked())
        let decoded = tensor.dequantized().elements
        for block in 0..<10 {
          let amax = values[9 * block..<9 * block + 9].map(\.magnitude).max() ?? 0
          let scale = min(amax / most, .greatestFiniteMagnitude)
          #expect(scales[block] == scale.bitPattern, "\(format.id)")
          let r = 1 / max(scale, 1e-38)
          for index in 9 * block..<9 * block + 9 {
            let wanted = Double(values[index] * r)
            let chosen = Double(table[Int(codes[index])])
            let best = table.map { abs(Double($0) - wanted) }.min() ?? 0
            // Beyond what stays finite, the nearest of what does.
            let ends = (chosen.magnitude * Double(scale)) > 0x1.FFp127
            #expect(abs(chosen - wanted) == best || ends, "\(format.id) \(values[index])")
            #expect(decoded[index] == table[Int(codes[index])] * scale && decoded[index].isFinite)
          }
        }
      }
    }
  }

  @Test(
    "The largest number of FP32 keeps finite under every table, and zeros are the value next to 0")
  func lutExtremes() {
    for table in Self.tables {
      let format = AbsmaxFormat.lut(values: table, block: .vector(length: 4))
      let top = Float.greatestFiniteMagnitude
      for values in [
        [top, -top, 1, 0], [-top, 1e38, 0, 0],
        [0x1p-149, -0x1p-149, 0, 0x1p-146],
      ] {
        let isFinite = values.fakeQuantized(to: format).allSatisfy(\.isFinite)
        #expect(isFinite, "\(format.id) \(values)")
      }
      let zeros = [Float](repeating: 0, count: 4).quantized(to: format)
      #expect(zeros["scales"].unpacked() == [0])
      // Zero may lie below all values of a table.
      let hasNearZero = table.contains { $0 <= 0 }
      #expect(zeros.tally.saturatedCount == (hasNearZero ? 0 : 4))
      #expect(zeros.dequantized().elements.allSatisfy { $0 == 0 })
    }
  }

  @Test("NF4 as a table of the user's own differs from NF4 only where its thresholds round")
  func nf4AsTable() {
    let values = (0..<UInt32(16)).map { Float(ElementFormat.nf4.value(of: $0)) }
    let format = AbsmaxFormat.lut(values: values, block: .run(length: 64))
    let x = randomValues(6400, exponents: -6...2, seed: 3)
    #expect(x.quantized(to: format).planes == x.quantized(to: .nf4).planes)
    #expect(format.layout != AbsmaxFormat.nf4.layout)
  }

  @Test("Ids of tables parse back to equal formats, with every scale, block and number")
  func ids() throws {
    for table in Self.tables {
      let format = AbsmaxFormat.lut(values: table, block: .tile(rows: 2, columns: 8))
      let parsed = try FormatCatalog.format(id: format.id)
      #expect(parsed.isSame(as: format) && parsed.defaultPolicy == format.defaultPolicy)
      let element = try ElementFormat(parsing: format.element.name)
      #expect(element == format.element && element.hashValue == format.element.hashValue)
    }
    for (text, id) in [
      ("lut(values=(1.0,2e0,-0.50),block=4)", "lut(values=(1,2,-0.5),block=4)"),
      ("LUT(BLOCK=run64,VALUES=(-0,0,1E-3))", "lut(values=(-0,0,0.001),block=run64)"),
      ("lut(values=(0,1),block=row,scale=fp32)", "lut(values=(0,1),block=row)"),
      (
        "lut(values=(0,0x1p-3,0.1),block=4,scale=bf16)",
        "lut(values=(0,0.125,0.1),block=4,scale=bf16)"
      ),
      ("lut(values=(-1,3),block=8,scale=e8m0fnu)", "lut(values=(-1,3),block=8,scale=e8m0fnu)"),
      ("lut(values=(-1,3),block=8,scale=e4m3fn)", "lut(values=(-1,3),block=8,scale=e4m3fn)"),
      (
        "scaled(element=table(values=(-1,3)),block=8,scale=fp32)",
        "scaled(element=table(values=(-1,3)),block=8,scale=fp32)"
      ),
      ("table(values=(-1,2,4))", "table(values=(-1,2,4))"),
      ("mx(element=table(values=(-6,6,1)))", "mx(element=table(values=(-6,6,1)),block=32)"),
      ("fp4_bnb(block=64)", "fp4_bnb"), ("fp4_bnb(block=128)", "fp4_bnb(block=128)"),
      ("if4(block=8)", "if4(block=8)"), ("mxfp4_oas(block=32)", "mxfp4_oas(block=32)"),
      ("nvint4(block=16x16)", "nvint4(block=16x16)"),
      ("nvfp6_e2m3(block=32)", "nvfp6_e2m3(block=32)"),
    ] {
      let format = try FormatCatalog.format(id: text)
      #expect(format.id == id, "\(text)")
      #expect(try FormatCatalog.format(id: id).isSame(as: format), "\(id)")
    }
  }

  @Test("Tables that are none are refused with their numbers")
  func badTables() {
    func error(_ text: String) -> String? {
      do throws(FormatNameError) {
        _ = try FormatCatalog.format(id: text)
        return nil
      } catch {
        return error.description
      }
    }
    let many = (0..<257).map(String.init).joined(separator: ",")
    for (values, message) in [
      ("(1)", "values=1 numbers is not valid; expected 2...256 of them"),
      ("(\(many))", "values=257 numbers is not valid; expected 2...256 of them"),
      ("(0,1,nan)", "values[2]=nan is not valid; expected a finite number of FP32"),
      ("(0,-inf)", "values[1]=-inf is not valid; expected a finite number of FP32"),
      ("(0,1e39)", "values[1]=1e39 is not valid; expected a finite number of FP32"),
      ("(0,,1)", "values[1]= is not valid; expected a finite number of FP32"),
      ("(0,x,1)", "values[1]=x is not valid; expected a finite number of FP32"),
      (
        "(0,0.5,1,0.50)", "values[3]=0.50 is not valid; expected another number than values[1], 0.5"
      ),
      ("(-1,-2,0)", "the largest of values=0.0 is not valid; expected a number above zero"),
      (
        "(0,1e-30)",
        "the largest magnitude of values=1e-30 is not valid; expected one in 2^-64...2^64"
      ),
      ("()", "values=() is not valid; expected numbers in parentheses, such as (-1,0,0.5,1)"),
      ("1", "values=1 is not valid; expected numbers in parentheses, such as (-1,0,0.5,1)"),
    ] {
      #expect(error("lut(values=\(values),block=8)") == message, "\(values)")
    }
    #expect(error("lut(block=8)") == "format 'lut' needs parameter 'values'")
    #expect(error("lut(values=(0,1))") == "format 'lut' needs parameter 'block'")
    #expect(error("lut(values=(0,1),block=8,bits=3)")?.contains("has no parameter 'bits'") == true)
    #expect(error("lut(values=(0,1),block=8,scale=e9m9)") == "unknown format 'e9m9'")
    #expect(
      error("lut(values=(0,1),block=8,scale=int8)")
        == "tensor_scale=no is not valid; expected yes: int8 has no NaN")
    #expect(error("mx(element=table(values=(0,nan)))")?.contains("values[1]=nan") == true)
    #expect(error("mx(element=table(size=3))")?.contains("has no parameter 'size'") == true)
  }

  // MARK: - Double quantization

  @Test("Quantized maxima follow from the mean of all groups, block by block")
  func nf4Double() {
    let count = 2 * 16384 + 1000
    for (turn, exponents) in Self.tops.enumerated() {
      let values = randomValues(count, exponents: exponents, seed: UInt64(turn))
      let tensor = Tensor(values, shape: [4, count / 4]).quantized(to: .nf4Double)
      let groups = (0..<(count + 63) / 64).map { group in
        values[64 * group..<min(64 * group + 64, count)].map(\.magnitude).max() ?? 0
      }
      let offset = Float(groups.reduce(0.0) { $0 + Double($1) } / Double(groups.count))
      #expect(tensor.tensorNumber == offset && tensor.tensorScale == nil)
      #expect(tensor["codes"].unpacked() == values.quantized(to: .nf4)["codes"].unpacked())
      let map = (0..<UInt32(256)).map { ElementFormat.dynamic8.value(of: $0) }
      let (codes, scales) = (tensor["codes"].unpacked(), tensor["scales"].unpacked())
      let nested = tensor["nested_scales"].unpacked().map { Float(bitPattern: $0) }
      #expect(scales.count == groups.count && nested.count == 3)
      let decoded = tensor.dequantized().elements
      for (group, amax) in groups.enumerated() {
        let block = groups[group / 256 * 256..<min(group / 256 * 256 + 256, groups.count)]
        #expect(nested[group / 256] == block.map { abs($0 - offset) }.max())
        let wanted = Double(amax - offset) / Double(nested[group / 256])
        let chosen = map[Int(scales[group])]
        // The nearest one, but for one that would make the scale infinite.
        let isNearest = map.allSatisfy { other in
          abs(other - wanted) >= abs(chosen - wanted)
            || (Float(other) * nested[group / 256] + offset).isInfinite
        }
        #expect(isNearest, "\(wanted) is \(chosen)")
        let scale = Float(chosen) * nested[group / 256] + offset
        for index in 64 * group..<min(64 * group + 64, count) {
          #expect(decoded[index] == Float(ElementFormat.nf4.value(of: codes[index])) * scale)
        }
      }
    }
  }

  @Test("NaN spoils a block of 16384 and leaves the mean, which ignores it, and all other blocks")
  func nf4DoubleNaN() {
    var values = randomValues(2 * 16384, exponents: -1...1, seed: 4)
    let clean = values.fakeQuantized(to: .nf4Double)
    // Not the largest of its group.
    let place = values[..<64].indices.min { values[$0].magnitude < values[$1].magnitude } ?? 0
    values[place] = .nan
    let spoilt = values.fakeQuantized(to: .nf4Double)
    let isSpoilt = spoilt[..<16384].allSatisfy(\.isNaN)
    #expect(isSpoilt)
    #expect(spoilt[16384...].map(\.bitPattern) == clean[16384...].map(\.bitPattern))
  }

  @Test("A number of the tensor survives storing, and spans, pieces and threads give the same bits")
  func tensorNumber() throws {
    let values = randomValues(3 * 16384 + 77, exponents: -4...4, seed: 5)
    let tensor = values.quantized(to: .nf4Double)
    let again = try QuantizedTensor(
      format: .nf4Double, shape: tensor.shape, storedBytes: tensor.storedBytes)
    #expect(again.planes == tensor.planes && again.tensorNumber == tensor.tensorNumber)
    #expect(again.dequantized() == tensor.dequantized())
    let many = Tensor(values, shape: [values.count])
      .quantized(to: .nf4Double, parallelism: .threads(3))
    #expect(many.planes == tensor.planes)
    #expect(tensor["nested_offset"].bytes.count == 4)
    let shape = [7, 64, 64]
    let policy = NestedAbsmaxFormat.nf4Double.defaultPolicy
    let pieces = TensorPieces(
      shape: shape, axis: -1, formats: [(NestedAbsmaxFormat.nf4Double, policy)], limit: 1000)
    #expect(pieces.ranges == [0..<7 * 64 * 64])
    // A tensor without elements has no mean.
    #expect([Float]().quantized(to: .nf4Double).tensorNumber == 0)
  }

  // MARK: - IF4

  @Test("IF4 stores the reading with the smaller error, and both readings decode by the definition")
  func if4() {
    let e2m1: [Double] = [0, 0.5, 1, 1.5, 2, 3, 4, 6]
    var chosen = [0, 0]
    for (turn, exponents) in Self.tops.enumerated() {
      let values = randomValues(16 * 40, exponents: exponents, seed: UInt64(60 + turn))
      let tensor = values.quantized(to: .if4)
      let amax = values.map(\.magnitude).max() ?? 0
      let s = min(2688 / amax, .greatestFiniteMagnitude)
      let stored = min(1 / s, .greatestFiniteMagnitude)
      #expect(tensor.tensorScale == stored)
      let (codes, scales) = (tensor["codes"].unpacked(), tensor["scales"].unpacked())
      let decoded = tensor.dequantized().elements
      for block in 0..<40 {
        let part = 16 * block..<16 * block + 16
        let own = values[part].map(\.magnitude).max() ?? 0
        let wanted = ElementFormat.e4m3fn.code(for: Double(own / 6 * s))
        #expect(scales[block] & 0x7F == wanted)
        guard wanted != 0 else {
          #expect(scales[block] == 0 && decoded[part].allSatisfy { $0 == 0 })
          continue
        }
        let scale = Float(ElementFormat.e4m3fn.value(of: wanted))
        let r = min(1 / (scale * stored), .greatestFiniteMagnitude)
        func error(_ read: (Float) -> Float) -> (Double, [Float]) {
          let results = values[part].map { read($0 * r) * scale * stored }
          let sum = zip(values[part], results).reduce(0.0) { sum, pair in
            let difference = Double(pair.0) - Double(pair.1)
            return sum + difference * difference
          }
          return (sum, results)
        }
        let float = error { x in
          let nearest = e2m1.enumerated().min { first, second in
            let (a, b) = (abs(first.1 - abs(Double(x))), abs(second.1 - abs(Double(x))))
            return a < b || a == b && first.0 % 2 == 0
          }
          return Float(signOf: x, magnitudeOf: Float(nearest?.1 ?? 0))
        }
        let integer = error { x in
          let q = (x * (7 / 6)).rounded(.toNearestOrEven)
          return min(max(q, -7), 7) * (6 / 7)
        }
        let isInteger = scales[block] & 0x80 != 0
        chosen[isInteger ? 1 : 0] += 1
        // The two sums are added in another order than the library's.
        #expect(
          isInteger ? integer.0 < float.0 * (1 + 0x1p-40) : float.0 <= integer.0 * (1 + 0x1p-40))
        #expect(Array(decoded[part]) == (isInteger ? integer.1 : float.1))
        if isInteger { #expect(codes[part].allSatisfy { $0 != 8 }) }
      }
    }
    #expect(chosen[0] > 20 && chosen[1] > 20, "\(chosen)")
  }

  @Test("Every code of IF4 decodes under every scale, and -8 is read and never written")
  func if4Codes() throws {
    let e2m1 = (0..<UInt32(16)).map { Float(ElementFormat.e2m1fn.value(of: $0)) }
    for scale in UInt32(0)..<256 {
      let tensor = try QuantizedTensor(
        format: .if4, shape: [16],
        codes: [
          "codes": Array(0..<16), "scales": [scale], "tensor_scale": [Float(0.75).bitPattern],
        ])
      let s = Float(ElementFormat.e4m3fn.value(of: scale & 0x7F))
      for (code, value) in tensor.dequantized().elements.enumerated() {
        let integer = Float(code < 8 ? code : code - 16) * (6 / 7)
        let expected = (scale < 128 ? e2m1[code] : integer) * s * 0.75
        #expect(value == expected || value.isNaN && expected.isNaN, "\(scale) \(code)")
      }
    }
  }

  // MARK: - Macro block scales

  @Test("Two scales of MXFP4 follow from the largest magnitudes of 128 and of 16, under every rule")
  func macroBlocks() {
    let format = MacroBlockFormat.mxfp4MacroBlocks
    for (turn, exponents) in Self.tops.enumerated() {
      for rule in PowerOfTwoRule.allCases {
        let values = randomValues(128 * 4 + 40, exponents: exponents, seed: UInt64(80 + turn))
        let tensor = values.quantized(
          to: format, policy: format.policy { $0.scaleRule = .powerOfTwo(rule) })
        let macro = tensor["macro_scales"].unpacked()
        let (codes, scales) = (tensor["codes"].unpacked(), tensor["scales"].unpacked())
        let decoded = tensor.dequantized().elements
        #expect(macro.count == 5 && scales.count == 4 * 8 + 3)
        for group in scales.indices {
          let block = group / 8
          let whole = values[128 * block..<min(128 * block + 128, values.count)]
          let t = ((whole.map(\.magnitude).max() ?? 0) / 1.5).bitPattern
          #expect(macro[block] == (t & 0x7F_FFFF) >> 15)
          let m = 1 + Float(macro[block]) / 256
          let part = 16 * group..<min(16 * group + 16, values.count)
          let largest = values[part].map { $0.magnitude / m }.max() ?? 0
          let exponent = largest > 0 ? rule.exponent(amax: largest, element: .e2m1fn) : -127
          #expect(Int(scales[group]) == min(max(exponent + 127, 0), 254))
          let step = Double(sign: .plus, exponent: Int(scales[group]) - 127, significand: 1)
          for index in part {
            let code = ElementFormat.e2m1fn.code(for: Double(values[index] / m) / step)
            let value = Float(ElementFormat.e2m1fn.value(of: codes[index]) * step * Double(m))
            #expect(decoded[index] == value && value.isFinite)
            // Codes end where decoded values would leave FP32.
            let nearest = Float(ElementFormat.e2m1fn.value(of: code) * step * Double(m))
            #expect(codes[index] == code || nearest.isInfinite)
          }
        }
      }
    }
  }

  // MARK: - Bare HiFloat8

  @Test("HiFloat8 has one zero, one NaN, two infinities, and its ties go away from zero by default")
  func hif8() throws {
    let format = try #require(try FormatCatalog.format(id: "hif8") as? CastFormat)
    #expect(format.defaultPolicy.rounding == .toNearestOrAway)
    let hif8 = ElementFormat.hif8
    let values = hif8.valueTable
    #expect(values.count { $0.isNaN } == 1 && values[0x80].isNaN)
    #expect(values.count { $0 == 0 } == 1 && values[0] == 0)
    #expect(values[0x6F] == .infinity && values[0xEF] == -.infinity)
    #expect(Set(values.filter(\.isFinite)).count == 253)
    #expect(
      hif8.infinityCode == 0x6F && hif8.nanCode == 0x80 && hif8.greatestFiniteMagnitude == 32768)
    #expect(hif8.leastNonzeroMagnitude == 0x1p-22 && !hif8.hasNegativeZero)
    for code in UInt32(1)..<128 where code != 0x6F {
      #expect(values[Int(code)] == -values[Int(code) + 128])
      #expect(hif8.code(for: values[Int(code)]) == code)
    }
    let probe: [Float] = [
      0, -0, 40959, 40960, 49152, 1e38, -1e38, 0x1p-23, 0x1p-24, 1.0625, -1.0625,
    ]
    #expect(
      probe.quantized(to: format)["codes"].unpacked()
        == [0, 0, 0x6E, 0x6E, 0x6E, 0x6E, 0xEE, 1, 0, 9, 0x89])
    let special = probe.quantized(to: format, policy: format.policy { $0.overflow = .special })
    #expect(
      special["codes"].unpacked() == [0, 0, 0x6E, 0x6F, 0x6F, 0x6F, 0xEF, 1, 0, 9, 0x89])
    let odd: [Float] = [.nan, .infinity, -.infinity]
    #expect(odd.quantized(to: format)["codes"].unpacked() == [0x80, 0x6E, 0xEE])
    for rule in NonFiniteRule.allCases {
      let result = odd.fakeQuantized(
        to: format,
        policy: format.policy { ($0.nonFinite, $0.overflow) = (rule, .special) })
      switch rule {
      case .nanToZero: #expect(result == [0, 32768, -32768])
      case .nanToMax: #expect(result == [32768, 32768, -32768])
      case .blockNaN, .element: #expect(result[0].isNaN)
      }
    }
  }

  // MARK: - Scale rules

  @Test(
    "The rule oas lets a value saturate up to the tie behind the largest, floor_plus_1 doubles floor"
  )
  func rules() {
    for (element, tie) in [
      (ElementFormat.e2m1fn, 7), (.e4m3fn, 464), (.e5m2, 61440), (.e2m3fn, 7.75), (.e3m2fn, 30),
      (.mxint8, 127.5 / 64), (.int4, 7.5), (.signMagnitude(magnitudeBitCount: 3), 1.875),
      (.e1m2fn, 1.875), (.hif8, 40960), (.table([0, 1, 4]), 5.5), (.table([-3, 0, 1]), 1.5),
    ] as [(ElementFormat, Float)] {
      func exponent(_ amax: Float) -> Int {
        PowerOfTwoRule.overflowAware.exponent(amax: amax, element: element)
      }
      #expect(exponent(tie.nextDown) == 0 && exponent(tie) == 1, "\(element)")
      #expect(exponent(tie / 2) == 0 && exponent((tie / 2).nextDown) == -1, "\(element)")
      #expect(exponent(tie * 0x1p-100) == -99, "\(element)")
      for amax: Float in [0x1p-149, 1e-38, 1, 3.4e38] {
        let floor = PowerOfTwoRule.floor.exponent(amax: amax, element: element)
        #expect(PowerOfTwoRule.floorPlusOne.exponent(amax: amax, element: element) == floor + 1)
      }
    }
    for amax in randomValues(2000, exponents: -149...127, seed: 9).map(\.magnitude)
    where amax > 0 {
      for element in [ElementFormat.e2m1fn, .e2m3fn, .e3m2fn, .e5m2, .mxint8] {
        #expect(
          PowerOfTwoRule.overflowAware.exponent(amax: amax, element: element)
            == PowerOfTwoRule.even.exponent(amax: amax, element: element))
      }
    }
    #expect(PowerOfTwoRule.overflowAware.exponent(amax: 470, element: .e4m3fn) == 1)
    #expect(PowerOfTwoRule.even.exponent(amax: 470, element: .e4m3fn) == 0)
  }
}

extension [Float] {
  /// What a vector of these values decodes to.
  fileprivate func fakeQuantized(
    to format: some BlockFormat, policy: EncodingPolicy? = nil
  ) -> [Float] {
    Tensor(self, shape: [count]).fakeQuantized(to: format, policy: policy).tensor.elements
  }
}
