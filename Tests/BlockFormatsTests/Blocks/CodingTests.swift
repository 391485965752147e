import BlockFormats
import FormatTestSupport
import Foundation
import Testing

@Suite("Formats, elements and policies as text for coders")
struct CodingTests {
  private func text(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  private func decoded<Value: Decodable>(
    _ type: Value.Type, _ text: String, catalog: FormatCatalog? = nil
  ) throws -> Value {
    let decoder = JSONDecoder()
    if let catalog { decoder.userInfo[.formatCatalog] = catalog }
    return try decoder.decode(Value.self, from: Data(text.utf8))
  }

  /// What a decoding error says, with the path to where it is.
  private func complaint<Value: Decodable>(
    _ type: Value.Type, _ text: String, catalog: FormatCatalog? = nil
  ) -> String? {
    do {
      _ = try decoded(type, text, catalog: catalog)
      return nil
    } catch let DecodingError.dataCorrupted(context) {
      return (context.codingPath.map(\.stringValue) + [context.debugDescription])
        .joined(separator: ": ")
    } catch let DecodingError.keyNotFound(key, _) {
      return "no \(key.stringValue)"
    } catch let DecodingError.typeMismatch(_, context) {
      return "wrong type at \(context.codingPath.map(\.stringValue).joined(separator: "."))"
    } catch {
      return "\(error)"
    }
  }

  @Test("A policy is the ids of its choices, and comes back from them, of every format and choice")
  func policies() throws {
    for format in FormatCatalog.all {
      for policy in KernelPolicies.some(format, round: 3) + [format.defaultPolicy] {
        let json = try text(policy)
        #expect(try decoded(EncodingPolicy.self, json) == policy, "\(json)")
      }
    }
    let policy = EncodingPolicy(
      rounding: .stochastic(StochasticSource(seed: 7, stream: 2, randomBitCount: 8)),
      overflow: .special, nonFinite: .element, scaleRule: .powerOfTwo(.rceil),
      scaleFloor: .leastNormal, zeroBlock: .one)
    #expect(
      try text(policy)
        == #"{"non_finite":"element","overflow":"special","rounding":"stochastic(bits=8,seed=7,stream=2)","#
        + #""scale_arithmetic":"multiply","scale_floor":"least_normal","scale_rule":"rceil","#
        + #""zero_block":"one","zero_sign":"kept"}"#)
    #expect(
      try decoded(EncodingPolicy.self, #"{"scale_rule":"amax"}"#)
        == EncodingPolicy(scaleRule: .amax))
  }

  @Test("What is no policy is refused with the key and what it could be")
  func policyErrors() {
    func complaint(_ text: String) -> String? { self.complaint(EncodingPolicy.self, text) }
    #expect(complaint("{}") == "no scale_rule")
    #expect(
      complaint(#"{"scale_rule":"best"}"#)?.hasPrefix("scale_rule: 'best' is none of ") == true)
    #expect(complaint(#"{"scale_rule":"best"}"#)?.contains("amax_pow2") == true)
    #expect(
      complaint(#"{"scale_rule":"amax","rounding":"nearest"}"#)?
        .hasPrefix("rounding: 'nearest' is none of nearest_even, nearest_away, toward_zero, ")
        == true)
    #expect(
      complaint(#"{"scale_rule":"amax","overflow":"inf"}"#)
        == "overflow: 'inf' is none of saturate, special")
    #expect(
      complaint(#"{"scale_rule":"amax","scale_floor":"x"}"#)
        == "scale_floor: 'x' is none of none, least_nonzero, least_normal, eighth_for_zero")
    #expect(complaint(#"{"scale_rule":"amax","zero_block":1}"#) == "wrong type at zero_block")
    #expect(
      complaint(#"{"scale_rule":"amax","round":"up"}"#)
        == "a policy has no 'round'; it has scale_rule, rounding, overflow, non_finite, scale_floor, "
        + "zero_block, zero_sign, scale_arithmetic")
    for rounding in [
      "stochastic", "stochastic(bits=33,seed=0,stream=0)", "stochastic(bits=8,seed=-1,stream=0)",
      "stochastic(bits=8,seed=18446744073709551616,stream=0)",
      "stochastic(bits=8,seed=0,stream=4294967296)",
    ] {
      #expect(complaint(#"{"scale_rule":"amax","rounding":"\#(rounding)"}"#) != nil, "\(rounding)")
    }
    for text in ["[]", "1", "\"amax\"", "null"] { #expect(complaint(text) != nil, "\(text)") }
  }

  private func expectChoices<Choice: PolicyChoice>(_: Choice.Type) throws {
    #expect(Set(Choice.alternatives.map(\.id)).count == Choice.alternatives.count)
    for choice in Choice.alternatives {
      #expect(Choice(id: choice.id) == choice && Choice("\(choice)") == choice)
      #expect(choice.description == choice.id && !choice.meaning.isEmpty)
      #expect(try text([choice]) == "[\"\(choice.id)\"]")
      #expect(try decoded([Choice].self, "[\"\(choice.id)\"]") == [choice])
    }
    let known = Choice.alternatives.map(\.id).joined(separator: ", ")
    #expect(complaint([Choice].self, "[\"what\"]") == "Index 0: 'what' is none of \(known)")
    #expect(Choice(id: "") == nil && Choice("what") == nil)
  }

  @Test("Every choice of every aspect is its id, as text and in coders")
  func choices() throws {
    try expectChoices(RoundingRule.self)
    try expectChoices(OverflowRule.self)
    try expectChoices(NonFiniteRule.self)
    try expectChoices(ScaleFloor.self)
    try expectChoices(ZeroBlockRule.self)
  }

  @Test("Aspects choose by the same ids and list the same alternatives")
  func aspects() {
    var policy = EncodingPolicy(scaleRule: .amax)
    for aspect in PolicyAspect.allCases {
      let alternatives = aspect.alternatives(scaleRules: FormatCatalog.scaleRules)
      #expect(alternatives.count >= 2 && Set(alternatives.map(\.id)).count == alternatives.count)
      for alternative in alternatives {
        let hasChosen = aspect.choose(
          alternative.id, in: &policy, scaleRules: FormatCatalog.scaleRules)
        #expect(hasChosen && aspect.chosen(in: policy) == alternative)
      }
      let before = policy
      let hasChosen = aspect.choose("what", in: &policy, scaleRules: FormatCatalog.scaleRules)
      #expect(!hasChosen && policy == before)
    }
  }

  @Test("An element format is its name, and comes back from it")
  func elements() throws {
    let formats =
      ElementFormat.named + ElementCase.smallFloats.map(\.format) + ElementCase.p3109.map(\.format)
    for format in formats + [.mxint8(range: .full), .unsignedInteger(bitCount: 9)] {
      #expect(try text([format]) == "[\"\(format.name)\"]")
      #expect(try decoded([ElementFormat].self, "[\"\(format.name)\"]") == [format])
      #expect(ElementFormat("\(format)") == format)
    }
    #expect(ElementFormat("e9m9") == nil)
    #expect(complaint([ElementFormat].self, "[\"e9m9\"]") == "Index 0: unknown format 'e9m9'")
    #expect(
      complaint([ElementFormat].self, "[\"float(e=0,m=3)\"]")?.contains("an integer in 1...11")
        == true)
  }

  @Test("An element whose name stands for something else, or for nothing, is not encoded")
  func strangers() throws {
    let layout = ElementFormat.FloatingPointLayout(
      exponentBitCount: 3, significandBitCount: 4, exponentBias: 3, specials: .allFinite)
    for format in [
      ElementFormat(name: "e4m3fn", floatingPoint: layout),
      ElementFormat(name: "mine", table: ValueTable([0, 1])), .microexponent(bitCount: 2),
    ] {
      let error = #expect(throws: EncodingError.self) { try text([format]) }
      #expect(error.map { "\($0)".contains(format.name) } == true)
    }
  }

  @Test("A format is its id, and comes back from it with the catalog's choices")
  func formats() throws {
    let unusual = try KernelIdentityTests.unusualIDs.map { try FormatCatalog.format(id: $0) }
    for format in FormatCatalog.all + unusual {
      let coded = CodableFormat(format)
      #expect(try text([coded]) == "[\"\(format.id)\"]")
      let again = try decoded([CodableFormat].self, "[\"\(format.id)\"]")
      #expect(again == [coded] && again[0].hashValue == coded.hashValue)
      #expect(again[0].format.defaultPolicy == format.defaultPolicy)
    }
    #expect(complaint([CodableFormat].self, "[\"mxfp5\"]") == "Index 0: unknown format 'mxfp5'")
    #expect(
      complaint([CodableFormat].self, "[\"mxfp4(blok=8)\"]")
        == "Index 0: format 'mxfp4' has no parameter 'blok'; it has block")
    #expect(CodableFormat(.mxfp4) != CodableFormat(.nvfp4))
  }

  private static let ownRule = ScaleRule(OwnRule.half)

  /// A catalog with a dialect of a format under its own id, and a format whose rule is its own.
  private static let catalog: FormatCatalog = {
    var catalog = FormatCatalog.builtIn
    catalog.families += [
      FormatFamily("mine", parameters: ["block=16"]) { arguments throws(FormatNameError) in
        let block = try arguments.integer("block", default: 16, in: 1...64)
        return SharedExponentFormat(
          id: block == 16 ? "mine" : "mine(block=\(block))", source: "a test", element: .e2m1fn,
          block: .vector(length: block)
        ).with { $0.scaleRule = .powerOfTwo(.rceil) }
      },
      FormatFamily("halves") { _ in HalvesFormat() },
    ]
    return catalog
  }()

  @Test("Decoders look ids and rules up in the catalog that they are given")
  func ownCatalog() throws {
    let catalog = Self.catalog
    #expect(complaint([CodableFormat].self, "[\"mine\"]") == "Index 0: unknown format 'mine'")
    let mine = try decoded([CodableFormat].self, "[\"mine(block=8)\"]", catalog: catalog)[0].format
    #expect(mine.id == "mine(block=8)" && mine.layout.block == .vector(length: 8))
    #expect(mine.defaultPolicy.scaleRule == .powerOfTwo(.rceil))
    #expect(
      try decoded([CodableFormat].self, "[\"nvfp4\"]", catalog: catalog)[0].format.id == "nvfp4")
    let policy = EncodingPolicy(scaleRule: Self.ownRule)
    let json = try text(policy)
    #expect(complaint(EncodingPolicy.self, json)?.contains("'half' is none of") == true)
    #expect(try decoded(EncodingPolicy.self, json, catalog: catalog) == policy)
    let (found, formats) = try FormatCatalog.$current.withValue(catalog) {
      (try decoded(EncodingPolicy.self, json), try decoded([CodableFormat].self, "[\"mine\"]"))
    }
    #expect(found == policy && formats[0].format.id == "mine")
  }

  @Test("A catalog of the caller's own lists, finds and refuses as the package's does")
  func ownFormats() throws {
    let catalog = Self.catalog
    #expect(catalog.all.map(\.id) == FormatCatalog.builtIn.all.map(\.id) + ["mine", "halves"])
    #expect(catalog.standard.map(\.id) == FormatCatalog.builtIn.standard.map(\.id))
    #expect(catalog.scaleRules == FormatCatalog.builtIn.scaleRules + [Self.ownRule])
    #expect(try catalog.format(id: "MINE", block: 4).id == "mine(block=4)")
    #expect(try catalog.format(id: "e4m3fn").id == "e4m3fn")
    for (text, error) in [
      (
        "mine(block=65)",
        FormatNameError.badValue("65", of: "block", expected: "an integer in 1...64")
      ),
      ("mine(size=4)", .unknownParameter("size", of: "mine", known: ["block"])),
      ("halves(block=4)", .unknownParameter("block", of: "halves", known: [])),
      ("theirs", .unknownName("theirs")),
    ] {
      #expect(throws: error) { try catalog.format(id: text) }
    }
    #expect(throws: FormatNameError.unknownName("mine")) { try FormatCatalog.format(id: "mine") }
    FormatCatalog.$current.withValue(FormatCatalog(families: [catalog.families[0]])) {
      #expect(FormatCatalog.all.map(\.id) == [FormatCatalog.builtIn.all[0].id])
      #expect(FormatCatalog.families.count == 1 && FormatCatalog.standard.count == 1)
    }
    #expect(FormatCatalog.all.count == FormatCatalog.builtIn.all.count)
  }
}

/// A rule of nobody else's.
private enum OwnRule: String, ScaleRuleChoice {
  case half
  var id: String { rawValue }
  var meaning: String { "always one half" }
}

/// E4M3 with a scale of one half.
private struct HalvesFormat: ComposedFormat {
  let id = "halves"
  let source = "a test"
  let layout = BlockLayout(
    block: .vector(length: 4), fields: [.codes(.e4m3fn), .blockScale(.fp32)])
  var defaultPolicy = EncodingPolicy(scaleRule: ScaleRule(OwnRule.half))
  var scaleRules: [ScaleRule] { [ScaleRule(OwnRule.half)] }

  func encodeScale(
    of values: Span<Float>, statistics: ValueStatistics, context: borrowing EncodingContext,
    into fields: inout BlockFields
  ) { fields[1, 0] = Float(0.5).bitPattern }

  func encodeElements(
    of values: Span<Float>, context: borrowing EncodingContext, into fields: inout BlockFields
  ) {
    for position in values.indices {
      fields[0, position] = context.code(
        for: 2 * Double(values[position]), at: position, tally: &fields.tally)
    }
  }

  func decode(
    _ fields: BlockFields, context: borrowing DecodingContext, into values: inout MutableSpan<Float>
  ) {
    for position in values.indices {
      values[position] = Float(context.elementValue(of: fields[0, position]) / 2)
    }
  }
}
