import CallerChecks

/// How often each code of a format occurs.
public struct CodeHistogram: Hashable, Sendable {
  /// The number of bits of a code, 1 through 16.
  public let bitWidth: Int

  @usableFromInline var storage: [Int]

  /// The count of every code, in the order of the codes; 2^bitWidth entries.
  public var counts: [Int] { storage }

  /// Creates a histogram without counts.
  ///
  /// - Parameter bitWidth: The number of bits of a code, 1 through 16.
  public init(bitWidth: Int) {
    require(
      (1...16).contains(bitWidth), "the code width is \(bitWidth) bits, it must be 1 through 16")
    self.bitWidth = bitWidth
    storage = [Int](repeating: 0, count: 1 << bitWidth)
  }

  /// Counts the codes of a sequence.
  ///
  /// - Parameter codes: The codes, right-aligned in their integers.
  /// - Precondition: Each code is below 2^bitWidth.
  /// - Complexity: O(n) in the length of the sequence.
  @inlinable
  public mutating func add<Codes: Sequence>(contentsOf codes: Codes)
  where Codes.Element: FixedWidthInteger & UnsignedInteger {
    let bitWidth = bitWidth
    storage.withUnsafeMutableBufferPointer { counts in
      for code in codes {
        guard code < counts.count else {
          CodeHistogram.refuseCode("\(code)", bitWidth: bitWidth)
        }
        counts[Int(truncatingIfNeeded: code)] += 1
      }
    }
  }

  @usableFromInline
  static func refuseCode(_ code: String, bitWidth: Int) -> Never {
    refuse("code \(code) does not fit in \(bitWidth) bits")
  }

  /// Adds the counts of another histogram to these.
  ///
  /// - Precondition: Both have the same code width.
  public mutating func merge(_ other: CodeHistogram) {
    require(
      bitWidth == other.bitWidth,
      "a histogram of \(other.bitWidth)-bit codes cannot join one of \(bitWidth)-bit codes")
    for code in storage.indices {
      storage[code] += other.storage[code]
    }
  }

  /// The number of codes counted.
  public var totalCount: Int { storage.reduce(0, +) }

  /// The codes that never occurred, in ascending order; all codes of an empty histogram.
  public var unusedCodes: [UInt32] {
    storage.indices.filter { storage[$0] == 0 }.map { UInt32($0) }
  }
}
