/// The largest finite magnitude of some values, and whether any is not finite.
public struct ValueStatistics: Hashable, Sendable {
  /// The largest magnitude of the finite values; 0 if there is none.
  public var amax: Float
  /// Whether a value is NaN.
  public var containsNaN: Bool
  /// Whether a value is ±∞.
  public var containsInfinity: Bool

  /// Whether a value is not finite.
  public var containsNonFinite: Bool { containsNaN || containsInfinity }

  /// The statistics of no values.
  public init() {
    amax = 0
    containsNaN = false
    containsInfinity = false
  }

  /// The statistics of some values.
  ///
  /// Magnitudes are compared as integers: the bit patterns of non-negative floats are ordered like
  /// their values, with infinity above every finite value and NaN above infinity.
  public init(_ values: Span<Float>) {
    self.init()
    let infinity = Float.infinity.bitPattern
    var largest: UInt32 = 0
    for index in values.indices { largest = max(largest, values[index].magnitude.bitPattern) }
    guard largest >= infinity else {
      amax = Float(bitPattern: largest)
      return
    }
    for index in values.indices {
      let value = values[index]
      if value.isFinite {
        amax = max(amax, value.magnitude)
      } else if value.isNaN {
        containsNaN = true
      } else {
        containsInfinity = true
      }
    }
  }

  /// The statistics of values in memory.
  package init(_ values: UnsafeBufferPointer<Float>) { self.init(values.span) }

  /// Below this many values, waking a thread costs more than it saves.
  private static let valuesWorthAThread = 1 << 18

  /// The statistics of many values, which several threads may share.
  package init(_ values: UnsafeBufferPointer<Float>, parallelism: Parallelism) {
    nonisolated(unsafe) let values = values
    self = parallelism.map(count: values.count, grain: Self.valuesWorthAThread) { range in
      ValueStatistics(UnsafeBufferPointer(rebasing: values[range]))
    }
    .reduce(into: ValueStatistics()) { $0.merge($1) }
  }

  /// Adds the statistics of further values.
  public mutating func merge(_ other: ValueStatistics) {
    amax = max(amax, other.amax)
    containsNaN = containsNaN || other.containsNaN
    containsInfinity = containsInfinity || other.containsInfinity
  }
}
