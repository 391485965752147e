/// The block formats of ggml, in which GGUF files hold weights.
///
/// Source: ggml 0.25, `ggml-common.h` and the reference quantizers of `ggml-quants.c`.
extension BlockFormat where Self == GGMLSignedFormat {
  /// ggml's Q4_0.
  public static var q4_0: Self {
    GGMLSignedFormat(id: "q4_0", bits: 4, bytes: .halves(numbers: 1, bits: 4))
  }

  /// ggml's Q5_0.
  public static var q5_0: Self {
    GGMLSignedFormat(id: "q5_0", bits: 5, bytes: .halves(numbers: 1, bits: 5))
  }
}

extension BlockFormat where Self == GGMLRangeFormat {
  /// ggml's Q4_1.
  public static var q4_1: Self {
    GGMLRangeFormat(id: "q4_1", bits: 4, bytes: .halves(numbers: 2, bits: 4))
  }

  /// ggml's Q5_1.
  public static var q5_1: Self {
    GGMLRangeFormat(id: "q5_1", bits: 5, bytes: .halves(numbers: 2, bits: 5))
  }
}

extension BlockFormat where Self == GGMLAmaxFormat {
  /// ggml's Q8_0.
  public static var q8_0: Self {
    GGMLAmaxFormat(id: "q8_0", element: .int8, greatest: 127, length: 32, bytes: .q8_0)
  }

  /// ggml's TQ1_0: -1, 0 and 1, in files five of them a byte.
  public static var tq1_0: Self {
    GGMLAmaxFormat(id: "tq1_0", element: .trit, greatest: 1, length: 256, bytes: .tq1_0)
  }

  /// ggml's TQ2_0: -1, 0 and 1 in two bits.
  public static var tq2_0: Self {
    GGMLAmaxFormat(id: "tq2_0", element: .tritOfTwoBits, greatest: 1, length: 256, bytes: .tq2_0)
  }
}

extension BlockFormat where Self == GGMLTableFormat {
  /// ggml's IQ4_NL.
  public static var iq4_nl: Self {
    GGMLTableFormat(
      id: "iq4_nl", element: .iq4_nl, bytes: .halves(numbers: 1, bits: 4))
  }
}

extension BlockFormat where Self == GGMLLineFormat {
  /// ggml's Q2_K.
  public static var q2_k: Self {
    GGMLLineFormat(
      id: "q2_k", bits: 2, partLength: 16, partBits: 4,
      search: GGMLLineSearch(
        greatestCode: 3, weight: .magnitude, error: .absolute, firstTrial: -0.5,
        furtherTrialCount: 15),
      bytes: .q2_k)
  }

  /// ggml's Q4_K.
  public static var q4_k: Self {
    GGMLLineFormat(
      id: "q4_k", bits: 4, partLength: 32, partBits: 6,
      search: GGMLLineSearch(
        greatestCode: 15, weight: .raisedMagnitude, error: .squared, firstTrial: -1,
        furtherTrialCount: 20),
      bytes: .q4_k)
  }

  /// ggml's Q5_K.
  public static var q5_k: Self {
    GGMLLineFormat(
      id: "q5_k", bits: 5, partLength: 32, partBits: 6,
      search: GGMLLineSearch(
        greatestCode: 31, weight: .raisedMagnitude, error: .squared, firstTrial: -0.5,
        furtherTrialCount: 15),
      bytes: .q5_k)
  }
}

extension BlockFormat where Self == GGMLFactorFormat {
  /// ggml's Q3_K.
  public static var q3_k: Self {
    GGMLFactorFormat(
      id: "q3_k", bits: 3, part: .offsetInteger(bitCount: 6), partReach: 32,
      search: .descent, bytes: .q3_k)
  }

  /// ggml's Q6_K.
  public static var q6_k: Self {
    GGMLFactorFormat(
      id: "q6_k", bits: 6, part: .integer("int8_full", bitCount: 8, range: .full), partReach: 128,
      search: .trials, bytes: .q6_k)
  }
}

extension ElementFormat {
  /// Codes 0, 1 and 2 for -1, 0 and 1.
  fileprivate static let trit = ElementFormat(name: "trit", table: ValueTable([-1, 0, 1]))
  /// Codes 0...3 for -1...2.
  fileprivate static let tritOfTwoBits = offsetInteger(bitCount: 2, offset: 1)
}

extension FormatFamily {
  static let ggml: [FormatFamily] = [
    FormatFamily("q4_0") { _ in GGMLSignedFormat.q4_0 },
    FormatFamily("q4_1") { _ in GGMLRangeFormat.q4_1 },
    FormatFamily("q5_0") { _ in GGMLSignedFormat.q5_0 },
    FormatFamily("q5_1") { _ in GGMLRangeFormat.q5_1 },
    FormatFamily("q8_0") { _ in GGMLAmaxFormat.q8_0 },
    FormatFamily("iq4_nl") { _ in GGMLTableFormat.iq4_nl },
    FormatFamily("nvfp4_ggml") { _ in GGMLNVFP4Format.nvfp4GGML },
    FormatFamily("tq1_0") { _ in GGMLAmaxFormat.tq1_0 },
    FormatFamily("tq2_0") { _ in GGMLAmaxFormat.tq2_0 },
    FormatFamily("q2_k") { _ in GGMLLineFormat.q2_k },
    FormatFamily("q3_k") { _ in GGMLFactorFormat.q3_k },
    FormatFamily("q4_k") { _ in GGMLLineFormat.q4_k },
    FormatFamily("q5_k") { _ in GGMLLineFormat.q5_k },
    FormatFamily("q6_k") { _ in GGMLFactorFormat.q6_k },
  ]
}
