/// The time of a call beside that of the loop that only moves its bytes.
struct SpeedMeasurement: Sendable {
  /// The elements of a call.
  var elementCount: Int
  /// The bytes that a call reads and writes.
  var byteCount: Int
  /// The seconds of a call.
  var call: RepeatStatistics
  /// The seconds of the faster of the limit's loops.
  var limit: RepeatStatistics
  /// How that loop writes.
  var limitStores: StreamLimit.Stores

  /// Elements a second, in units of 10^9.
  var gigaelementsPerSecond: Double { Double(elementCount) / call.median * 1e-9 }
  /// Bytes a second, read and written, in units of 10^9.
  var gigabytesPerSecond: Double { Double(byteCount) / call.median * 1e-9 }
  /// Elements a second at the limit, in units of 10^9.
  var limitGigaelementsPerSecond: Double { Double(elementCount) / limit.median * 1e-9 }
  /// The share of the limit that the call reaches.
  var limitRatio: Double { limit.median / call.median }
}
