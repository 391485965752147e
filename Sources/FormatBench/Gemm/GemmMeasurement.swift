import FormatMetrics

/// The time of a product beside those of loops that only multiply and only read.
struct GemmMeasurement: Sendable {
  /// Multiplications and additions of a call.
  var operationCount: Double
  /// The seconds of a call.
  var call: RepeatStatistics
  /// Multiplications and additions of a call of the multiplying loop.
  var peakOperationCount: Double
  /// The seconds of that call.
  var peak: RepeatStatistics
  /// The instructions by which that loop multiplies and adds.
  var peakInstructions: String
  /// What was read, for shapes with few rows.
  var reading: Reading?

  /// Bytes of the prepared operand, and the loop that reads as many.
  struct Reading: Sendable {
    var byteCount: Int
    var limit: RepeatStatistics

    /// Bytes a second at the limit, in units of 10^9.
    var limitGigabytesPerSecond: Double { Double(byteCount) / limit.median * 1e-9 }
  }

  /// Operations a second, in units of 10^9.
  var gigaoperationsPerSecond: Double { operationCount / call.median * 1e-9 }
  /// Operations a second of the loop, in units of 10^9.
  var peakGigaoperationsPerSecond: Double { peakOperationCount / peak.median * 1e-9 }
  /// The share of the loop's rate that the call reaches.
  var peakRatio: Double { gigaoperationsPerSecond / peakGigaoperationsPerSecond }
  /// Bytes of the prepared operand a second, in units of 10^9.
  var gigabytesPerSecond: Double? { reading.map { Double($0.byteCount) / call.median * 1e-9 } }
  /// The share of the reading loop's rate that the call reaches.
  var readRatio: Double? { reading.map { $0.limit.median / call.median } }
}
