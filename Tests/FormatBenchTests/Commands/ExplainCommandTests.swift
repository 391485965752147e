import BlockFormats
import CommandLineTestSupport
import CommandLineToolkit
import Foundation
import Testing

@testable import FormatBench

@Suite("fmtbench explain")
struct ExplainCommandTests {
  @Test("957 becomes 896 because floor lets it clip, and the rules that would not are named")
  func clipping() {
    let result = runFmtbench(["explain", "mxfp8_e4m3", "957"], columns: 200)
    #expect(result.status == .done)
    #expect(
      result.stdout == """
        fmtbench explain mxfp8_e4m3 0.1.0

        Choices

        Fact        Value
        ----------  ------------
        scale rule  floor
        rounding    nearest_even
        overflow    saturate
        non finite  block_nan
        zero block  from_rule
        zero sign   kept
        producers   torchao

        Block

        Fact           Value
        -------------  -----
        amax           957
        scale code     0x80
        scale          2
        squared error  3721

        Scale candidate  Exponent     Scale  Squared error  Clipped  Chosen
        ---------------  --------  --------  -------------  -------  ------
        floor                   1  0x80 = 2           3721        1  yes
        ceil                    2  0x81 = 4              9        0
        rceil                   2  0x81 = 4              9        0
        even                    1  0x80 = 2           3721        1
        even_e2m1               2  0x81 = 4              9        0
        nearest_log2            1  0x80 = 2           3721        1
        oas                     2  0x81 = 4              9        0
        floor_plus_1            2  0x81 = 4              9        0

        Index  Value  Scaled  Code  Element  Decoded  Error  Why
        -----  -----  ------  ----  -------  -------  -----  --------------------------------
            0    957   478.5  0x7E      448      896    -61  clipped at the largest value 448

        1 of 1 values clipped: floor keeps only the power of two of amax, and amax / scale \
        may reach 2^9 where the largest element value is 448; nothing clips under ceil, \
        rceil, even_e2m1, oas, floor_plus_1.

        """)
  }

  private func reasons(_ words: String...) throws -> [String] {
    let result = runFmtbench(["explain"] + words + ["--json"])
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(result.stdout.utf8)) as? [String: Any])
    let rows = try #require(object["rows"] as? [[String: Any]])
    return rows.compactMap { $0["why"] as? String }
  }

  @Test("Each way to a code has its own words")
  func wording() throws {
    #expect(
      try reasons("mxfp4", "1", "2.5", "3.4", "3.6", "0.1", "-0.1", "-0", "0", "4.5") == [
        "exact", "tie between 2 and 3: to the even code", "rounded down: nearest of 3 and 4",
        "rounded up: nearest of 3 and 4", "underflowed to 0, rounded down: nearest of 0 and 0.5",
        "underflowed to -0, rounded up: nearest of -0.5 and -0", "exact, -0 kept", "exact",
        "rounded down: nearest of 4 and 6",
      ])
    #expect(
      try reasons("e2m1fn", "2.5", "-2.5", "--rounding", "nearest_away") == [
        "tie between 2 and 3: away from zero", "tie between -3 and -2: away from zero",
      ])
    #expect(
      try reasons("e2m1fn", "2.5", "-2.5", "--rounding", "up")
        == ["rounded up between 2 and 3", "rounded up between -3 and -2"])
    #expect(
      try reasons("e2m1fn", "2.5", "-2.5", "--rounding", "toward_zero") == [
        "rounded down, toward zero, between 2 and 3", "rounded up, toward zero, between -3 and -2",
      ])
    #expect(
      try reasons("e2m1fn", "2.5", "--rounding", "to_odd")
        == ["rounded up to the odd code between 2 and 3"])
    #expect(
      try reasons("e4m3fn", "450", "465", "--overflow", "special") == [
        "rounded down to the largest value 448: the next would be 480", "overflow becomes NaN",
      ])
    #expect(try reasons("e4m3fnuz", "-0") == ["-0 becomes +0"])
    #expect(try reasons("ue4m3", "-3") == ["negative, but ue4m3 has no sign"])
    #expect(try reasons("e8m0fnu", "0") == ["below the smallest value 2^-127"])
  }

  @Test("Where a table states thresholds, they are what a value is rounded by")
  func thresholds() throws {
    // Half of the value of code 8 is midway to code 7; code 7 is odd, and yet it is the one.
    let reasons = try reasons("nf4", "1", "0.03979014977812767", "0.3")
    #expect(reasons[0] == "exact")
    #expect(reasons[1].contains("rounded down, by the table's threshold between 0 and 0.0795"))
    #expect(reasons[2].hasPrefix("rounded up, by the table's threshold between 0.246"))
    #expect(
      try self.reasons("nf4", "1", "0.3", "--rounding", "up")[1].hasPrefix("rounded up between"))
  }

  @Test("NaN and infinity poison their block, or stay in their element, as the rule says")
  func nonFinite() throws {
    #expect(
      try reasons("mxfp4", "1", "nan", "-inf") == [
        "poisoned: the block holds a NaN or an infinity", "NaN poisons its block",
        "infinity poisons its block",
      ])
    #expect(
      try reasons("vsq", "1", "inf")
        == ["poisoned: the tensor holds a NaN or an infinity", "infinity poisons its tensor"])
    #expect(
      try reasons("fp8_e4m3_row", "1", "nan", "inf")
        == ["exact", "NaN kept in its element", "infinity saturates at 448"])
    #expect(
      try reasons("e5m2", "inf", "nan", "--overflow", "special")
        == ["infinity kept", "NaN kept in its element"])
    #expect(
      try reasons("mxfp4", "1", "nan", "--non-finite", "nan_to_zero")
        == ["exact", "NaN becomes 0 (nan_to_zero)"])
    #expect(try reasons("nvfp4", "0", "0") == ["zero", "zero"])
    #expect(
      try reasons("nvfp4", "1e-9", "--tensor-scale", "1")
        == ["lost: the block's scale is zero"])
  }

  @Test("Microexponents have a column of their own, and only where there are some")
  func subscales() {
    let text = runFmtbench(["explain", "mx9", "1", "1", "0.25", "0.3"], columns: 200).stdout
    #expect(
      text.contains(
        """
        Index  Value  Sub-scale  Scaled  Code  Element   Decoded        Error  Why
        -----  -----  ---------  ------  ----  -------  --------  -----------  ---------------------------------------------
            0      1          0       1  0x40        1         1            0  exact
            1      1          0       1  0x40        1         1            0  exact
            2   0.25          1     0.5  0x20      0.5      0.25            0  exact
            3    0.3          1     0.6  0x26  0.59375  0.296875  -0.00312501  rounded down: nearest of 0.59375 and 0.609375
        """), "\(text)")
    #expect(!runFmtbench(["explain", "mxfp4", "1"]).stdout.contains("Sub-scale"))
  }

  @Test("A hundred values fill four blocks of 32, and their facts are told apart")
  func manyBlocks() throws {
    let values = (1...100).map(String.init)
    let result = runFmtbench(["explain", "mxfp4"] + values + ["--json"])
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(result.stdout.utf8)) as? [String: Any])
    #expect(object["block_count"] as? Int == 4)
    #expect((object["rows"] as? [[String: Any]])?.count == 100)
    #expect(object["block_0_amax"] as? Double == 32)
    #expect(object["block_3_amax"] as? Double == 100)
    #expect(object["block_3_candidate_floor_exponent"] as? Int == 4)
    #expect(object["block_3_candidate_floor_chosen"] as? String == "yes")
    #expect(object["amax"] == nil)
    #expect(
      runFmtbench(["explain", "mxfp4"] + values).stdout.contains("100 values fill 4 blocks."))
  }

  @Test("An element of zero below an offset is exact, and the offset is called by its name")
  func offsets() {
    let text = runFmtbench(["explain", "affine4", "1", "3.5"], columns: 200).stdout
    #expect(!text.contains("underflowed") && text.contains("exact"), "\(text)")
    #expect(text.contains("bias code") && !text.contains("biase"), "\(text)")
  }

  @Test("Four over six shows both branches and keeps the better one")
  func fourOverSix() throws {
    let format = TwoLevelFormat.nvfp4FourOverSix
    let block = try #require(
      Explanation(of: [10, 20, 30, 40], as: format, policy: format.defaultPolicy).blocks.first)
    let candidates = block.candidates
    #expect(candidates.map(\.name) == ["amax to 6", "amax to 4"])
    #expect(candidates.map { $0.trace.codes[1][0] } == [0x78, 0x7C])
    #expect(candidates.map(\.isChosen) == [false, true])
    #expect(candidates[1].trace.squaredError == 0)
    // fl(38.4 * fl(1/6)) is one ulp above fl(38.4 / 6) = 6.4.
    let factors = candidates.compactMap { candidate -> Double? in
      guard case .real(let factor) = candidate.facts.first(where: { $0.key == "factor" })?.number
      else { return nil }
      return factor
    }
    #expect(factors == [Double(Float(6.4).nextUp), Double(Float(9.6))])
  }

  @Test(
    "A rule or scale that the format does not have is a usage error",
    arguments: [
      (["mxfp4", "1", "--scale-rule", "amax"], "--scale-rule: mxfp4 has no rule 'amax'"),
      (["mxfp4", "1", "--tensor-scale", "2"], "mxfp4 has no tensor scale"),
      (
        ["nvfp4", "1", "--tensor-scale", "0"],
        "--tensor-scale: '0' is not a finite number of at least 2^-128"
      ),
      (
        ["nvfp4", "1", "--tensor-scale", "inf"],
        "--tensor-scale: 'inf' is not a finite number of at least 2^-128"
      ),
      (
        ["nvfp4", "1", "--tensor-scale", "0x1p-129"],
        "--tensor-scale: '0x1p-129' is not a finite number of at least 2^-128"
      ),
      (["mxfp4", "one"], "VALUE: 'one' is not a number"),
      (["mxfp4"], "missing argument VALUE"),
      (["nvfp5", "1"], "unknown format 'nvfp5'; did you mean 'nvfp4'?"),
    ])
  func usageErrors(words: [String], message: String) {
    let result = runFmtbench(["explain"] + words)
    #expect(result.status == .usage && result.stdout.isEmpty)
    #expect(result.stderr.contains(message), "\(result.stderr)")
  }

  @Test("What overflow makes of a value is not called clipped")
  func overflowed() throws {
    func block(_ values: [Float], _ format: any BlockFormat, _ overflow: OverflowRule) throws
      -> ExplainedBlock
    {
      var policy = format.defaultPolicy
      policy.overflow = overflow
      return try #require(Explanation(of: values, as: format, policy: policy).blocks.first)
    }
    let cast = try FormatCatalog.format(id: "e4m3fn")
    let special = try block([500, -1], cast, .special)
    #expect(special.rows.map(\.reason) == ["overflow becomes NaN", "exact"])
    #expect(
      special.notes == [
        "1 of 2 values overflowed. Overflow rule special: \(OverflowRule.special.meaning)."
      ])
    #expect(try block([500, -1], cast, .saturate).notes == ["1 of 2 values clipped."])
    // 448 is the largest element: 500 under the scale 1 clips or overflows, under 2 it does neither.
    for overflow in OverflowRule.allCases {
      let block = try block([500], SharedExponentFormat.mxfp8E4M3, overflow)
      let candidates = block.candidates
      let counts = candidates.map { candidate in
        let overflowed = block.overflowedCount(in: candidate.trace)
        return [candidate.trace.tally.saturatedCount - overflowed, overflowed]
      }
      let lost = overflow == .special ? [0, 1] : [1, 0]
      #expect(candidates.map(\.name) == PowerOfTwoRule.allCases.map(\.id))
      #expect(counts[0] == lost && counts[2] == [0, 0], "\(overflow.id)")
    }
    // In an element without infinity and NaN, special clips.
    let clipped = try block([7.9], SharedExponentFormat.mxfp4, .special).notes.first
    #expect(clipped?.hasPrefix("1 of 1 values clipped") == true)
  }

  /// Values with ties, tiny and huge magnitudes, pairs of zeros and a spread of signs.
  private static let probe: [Float] = (0..<70).map { index in
    let base: [Float] = [1, -2.5, 0, -0.0, 0.3, 7.9, 1e-3, -450, 3.5, 0.0625]
    return base[index % 10] * Float(1 + index / 10) * (index % 3 == 0 ? -1 : 1)
  }

  @Test("Explanations agree with the encoder for every format and scale rule")
  func agreement() {
    for format in FormatCatalog.all {
      for rule in format.scaleRules {
        for rounding in [RoundingRule.toNearestOrEven, .stochastic(StochasticSource(seed: 7))] {
          var policy = format.defaultPolicy
          policy.scaleRule = rule
          if format.follows(.rounding) { policy.rounding = rounding }
          let explanation = Explanation(of: Self.probe, as: format, policy: policy)
          let encoded = EncodedVector(Self.probe, as: format, policy: policy)
          for (index, field) in format.layout.fields.enumerated() where field.extent != .perTensor {
            #expect(
              explanation.blocks.flatMap { $0.trace.codes[index] } == encoded.codes(of: field.name),
              "\(format.id) \(field.name)")
          }
          #expect(explanation.blocks.flatMap(\.trace.decoded) == encoded.decoded, "\(format.id)")
          for block in explanation.blocks {
            expectConsistency(of: block, rule)
          }
        }
      }
    }
  }

  /// What was explained must give the encoder's code, and the chosen scale must be a candidate.
  private func expectConsistency(of block: ExplainedBlock, _ rule: ScaleRule) {
    let id = "\(block.format.id) \(rule.id)"
    for row in block.rows where block.account?.losesAllValues(of: block) == false {
      let code = block.element.code(
        for: row.scaled ?? .nan, rounding: block.policy.rounding, overflow: block.policy.overflow,
        index: UInt64(row.index))
      // The policy decides the sign of zeros.
      let areZeros = [code, row.code].allSatisfy { block.element.value(of: $0) == 0 }
      #expect(code == row.code || areZeros, "\(id) \(row.value)")
    }
    let candidates = block.candidates
    guard !candidates.isEmpty else { return }
    let chosen = candidates.filter(\.isChosen)
    #expect(chosen.count == 1, "\(id)")
    #expect(chosen.first?.trace.codes == block.trace.codes, "\(id)")
    #expect(chosen.first?.trace.squaredError == block.trace.squaredError, "\(id)")
    guard case .search = rule.as(PowerOfTwoScale.self) else { return }
    let tried = candidates.filter { $0.name.hasPrefix("search") }.map(\.trace.squaredError)
    #expect(tried.min() == block.trace.squaredError, "\(id)")
  }
}
