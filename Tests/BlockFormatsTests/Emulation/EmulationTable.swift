import CBlockKernels
import Foundation

@testable import BlockFormats

/// The formats and policies that the emulation driver runs, as rows of a C table.
///
/// The driver has no definitions of its own: every constant is what the library itself hands to
/// its kernels.
struct EmulationTable {
  /// The elements: those of the standard formats and of their block scales.
  static let elements: [ElementFormat] = [
    .e2m1fn, .e2m3fn, .e3m2fn, .e4m3fn, .e5m2, .e4m3fnuz, .e3m4, .mxint8, .mxint8(range: .full),
    .int8, .int4, .mxint2, .signMagnitude(magnitudeBitCount: 7),
    .signMagnitude(magnitudeBitCount: 4),
    .signMagnitude(magnitudeBitCount: 2), .fp16, .bf16, .tf32, .fp32, .unsignedInteger(bitCount: 6),
    .ue5m3, .ue4m3, .nf4,
  ]

  /// What the driver calls random words with.
  static let source = StochasticSource(seed: 0x0123_4567_89AB_CDEF, stream: 7)

  static let roundings: [RoundingRule] =
    RoundingRule.deterministic + [
      .stochastic(source),
      .stochastic(
        StochasticSource(seed: source.seed, stream: source.stream, randomBitCount: 5)),
    ]

  /// One element under one policy.
  struct Row {
    let name: String
    let index: Int
    let format: ElementFormat
    let encoder: ElementEncoder
    let element: BKElement
  }

  static func element(_ format: ElementFormat, _ encoder: ElementEncoder) -> BKElement? {
    BKElement(format, encoder: encoder, poison: format.nanCode ?? 0, scaling: .none)
  }

  /// Every element under every policy that gives other codes than those before it.
  static let rows: [Row] = {
    var rows: [Row] = []
    for (index, format) in elements.enumerated() {
      for rounding in roundings {
        var seen: Set<[UInt32]> = []
        for (overflow, nonFinite) in policies {
          let encoder = ElementEncoder(
            format, rounding: rounding, overflow: overflow, nonFinite: nonFinite)
          guard let element = element(format, encoder), hasFormatsSearch(element, format),
            seen.insert(choices(element)).inserted
          else { continue }
          var name = "\(format.name).\(rounding.shortName)"
          if overflow == .special { name += ".special" }
          if nonFinite != .element { name += "." + nonFinite.id }
          rows.append(
            Row(name: name, index: index, format: format, encoder: encoder, element: element))
        }
      }
    }
    return rows
  }()

  /// Whether an element searches a table as the format's row does: a policy's row has no thresholds.
  private static func hasFormatsSearch(_ e: BKElement, _ format: ElementFormat) -> Bool {
    let usual = ElementEncoder(format, rounding: .toNearestOrEven, overflow: .saturate)
    return element(format, usual).map { search(of: $0) == search(of: e) } ?? false
  }

  private static func search(of e: BKElement) -> [Int32] {
    withUnsafeBytes(of: e.thresholds) { Array($0.bindMemory(to: Int32.self)) }
      + [e.least_key, e.greatest_key]
  }

  private static let policies: [(OverflowRule, NonFiniteRule)] = [
    (.saturate, .element), (.special, .element), (.saturate, .nanToZero), (.special, .nanToZero),
  ]

  /// What a policy adds to a format.
  private static func choices(_ e: BKElement) -> [UInt32] {
    [e.overflow.0, e.overflow.1, e.infinity.0, e.infinity.1, e.nan, e.saturates ? 1 : 0]
  }

  /// The text of the table.
  static var text: String {
    var lines = [
      "// Made by `run-neon.sh --update` from the library's definitions; not to be edited.",
      "//",
      "// Formats: constants that no policy changes.",
    ]
    for format in elements {
      let encoder = ElementEncoder(format, rounding: .toNearestOrEven, overflow: .saturate)
      guard let e = element(format, encoder) else { continue }
      lines += ["FORMAT(\"\(format.name)\",", "    \(fields(of: e)))"]
    }
    lines.append("// Policies: the name, the format's place above, and the policy's codes.")
    for row in rows {
      let e = row.element
      lines.append(
        "POLICY(\"\(row.name)\", \(row.index), \(e.rounding.rawValue), \(hex(e.random_mask)), "
          + choices(e).map(hex).joined(separator: ", ") + ")")
    }
    lines += scaleLines
    lines.append("// Chains: from values to packed bytes and back.")
    lines += EmulationChain.all.map(\.line)
    lines.append("// Encoders of whole blocks.")
    lines += EmulationCoder.all.map(\.line)
    lines.append("// Blocks whose parts are doubled.")
    lines += EmulationDoubling.all.map(\.line)
    return lines.joined(separator: "\n") + "\n"
  }

  static func fields(of e: BKElement) -> String {
    let values = withUnsafeBytes(of: e.values) { $0.bindMemory(to: Float.self).map(hex) }
    // Formats of more than six bits have no such table.
    let table = e.width > 6 ? "0" : values.joined(separator: ", ")
    return """
      {.kind = \(e.kind.rawValue), .width = \(e.width), .fraction_bits = \(e.fraction_bits),
           .lowest_field = \(e.lowest_field), .greatest = \(hex(e.greatest)),
           .greatest_negative = \(hex(e.greatest_negative)), .poison = \(hex(e.poison)),
           .has_negative_zero = \(e.has_negative_zero), .is_fixed_point = \(e.is_fixed_point),
           .spacings_of_one = \(hex(e.spacings_of_one)), .tame_limit = \(hex(e.tame_limit)),
           .least_multiplier = \(hex(e.least_multiplier)), .is_unsigned = \(e.is_unsigned),
           .unit = \(hex(e.unit)), .infinity_code = \(hex(e.infinity_code)),
           .is_negative_zero_nan = \(e.is_negative_zero_nan),
           .has_special_codes = \(e.has_special_codes),
           .values = {\(table)}\(searchFields(of: e))}
      """
  }

  /// What only tables have.
  private static func searchFields(of e: BKElement) -> String {
    guard e.kind == BK_TABLE else { return "" }
    let codes = withUnsafeBytes(of: e.codes) { $0.map { "\($0)" } }.joined(separator: ", ")
    let thresholds = search(of: e).dropLast(2).map { "\($0)" }.joined(separator: ", ")
    return """
      ,
           .thresholds = {\(thresholds)},
           .codes = {\(codes)}, .least_key = \(e.least_key), .greatest_key = \(e.greatest_key)
      """
  }

  static func hex(_ x: UInt32) -> String { "0x" + String(x, radix: 16) }
  static func hex(_ x: Float) -> String {
    if x.isNaN { return "__builtin_nanf(\"\")" }
    return x == .infinity ? "__builtin_inff()" : String(format: "%a", Double(x)) + "f"
  }
}

extension RoundingRule {
  /// The name in the table, without the seed.
  var shortName: String {
    guard case .stochastic(let source) = self else { return id }
    return "stochastic\(source.randomBitCount)"
  }
}
