import BlockFormats

/// ggml's formats, by what their encoders have in common.
enum GGMLFormats {
  /// Those whose codes follow from a scale that needs no search.
  static let direct: [any BlockFormat] = [
    GGMLSignedFormat.q4_0, GGMLSignedFormat.q5_0, GGMLRangeFormat.q4_1, GGMLRangeFormat.q5_1,
    GGMLAmaxFormat.q8_0, GGMLAmaxFormat.tq1_0, GGMLAmaxFormat.tq2_0,
  ]
  /// Those that search.
  static let searched: [any BlockFormat] = [
    GGMLTableFormat.iq4_nl, GGMLLineFormat.q2_k, GGMLLineFormat.q4_k, GGMLLineFormat.q5_k,
    GGMLFactorFormat.q3_k, GGMLFactorFormat.q6_k,
  ]
  static let all = direct + searched

  static func isSearched(_ format: any BlockFormat) -> Bool {
    searched.contains { $0.id == format.id }
  }
}
