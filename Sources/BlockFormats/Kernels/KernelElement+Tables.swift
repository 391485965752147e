internal import CBlockKernels

extension BKElement {
  /// The constants of a table of up to sixteen values; `false` where kernels cannot express it.
  ///
  /// They search among thresholds in FP32. That is the encoder's rounding where an FP32 number is what it
  /// rounds: not where a power of two has scaled a number, exactly, to one that FP32 does not have. A
  /// rounding with random bits has no thresholds.
  mutating func setTable(_ table: ValueTable, _ encoder: ElementEncoder, _ scaling: Scaling) -> Bool
  {
    guard table.values.count <= 16, table.values.allSatisfy(\.isFinite), scaling != .byPowersOfTwo
    else { return false }
    if case .stochastic = encoder.rounding { return false }
    kind = BK_TABLE
    greatest = UInt32(table.values.count - 1)
    greatest_negative = greatest
    has_special_codes = table.values.count < encoder.format.codeCount
    setSearch(table, encoder, .none)
    let (above, below) = (FloatKey.value(greatest_key), FloatKey.value(least_key))
    tame_limit = min(above.nextUp, -below.nextDown)
    return true
  }

  /// The constants of a table of consecutive integers in the order of its codes, for decoding and for
  /// encoders that round by themselves; `nil` for any other.
  init?(offsetIntegers format: ElementFormat) {
    guard case .table(let table) = format.encoding, format.bitWidth <= 8,
      table.values.count == format.codeCount, let first = table.values.first,
      table.values.indices.allSatisfy({ table.values[$0] == first + Double($0) }),
      let offset = Int32(exactly: -first)
    else { return nil }
    self.init()
    kind = BK_INTEGER
    width = UInt32(format.bitWidth)
    greatest = UInt32(format.codeCount - 1)
    is_unsigned = true
    code_of_zero = UInt32(bitPattern: offset)
    infinity_code = ~0
    unit = 1
    saturates = true
    setValues(format)
  }

  /// The places where codes change, found by asking the encoder.
  mutating func setSearch(_ table: ValueTable, _ encoder: ElementEncoder, _ limit: CodeLimit) {
    /// The code of a key's number, and whether it overflows.
    func encoded(_ key: Int32) -> (code: UInt32, overflows: Bool) {
      var tally = EncodingTally()
      let value = Double(FloatKey.value(key))
      let code = encoder.code(for: value, index: 0, limit: limit, tally: &tally)
      return (code, tally.saturatedCount > 0)
    }
    let ascending = table.ascending
    var places = [Int](repeating: 0, count: 16)
    for (place, code) in ascending.enumerated() { places[Int(code)] = place }
    // From the greatest value down; behind the least one there is nothing to find.
    var descending = [Int32](repeating: .min, count: 15)
    for (index, place) in ascending.indices.dropFirst().reversed().enumerated() {
      let (below, above) = (
        table.values[Int(ascending[place - 1])], table.values[Int(ascending[place])]
      )
      let guess = table.thresholds?[place - 1] ?? below + (above - below) / 2
      descending[index] = FloatKey.first(near: FloatKey.of(guess)) {
        places[Int(encoded($0).code)] >= place
      }
    }
    withUnsafeMutableBytes(of: &thresholds) { bytes in
      let thresholds = bytes.bindMemory(to: Int32.self)
      /// Puts the middle one of some thresholds at a node, and what is above and below under it.
      func place(_ range: Range<Int>, at node: Int) {
        guard !range.isEmpty else { return }
        let middle = (range.lowerBound + range.upperBound) / 2
        thresholds[node] = descending[middle]
        place(range.lowerBound..<middle, at: 2 * node)
        place(middle + 1..<range.upperBound, at: 2 * node + 1)
      }
      place(0..<15, at: 1)
    }
    withUnsafeMutableBytes(of: &codes) { codes in
      for (index, code) in ascending.reversed().enumerated() { codes[index] = UInt8(code) }
    }
    // No limit excludes the value of the smallest magnitude.
    let inner = table.values.min { $0.magnitude < $1.magnitude } ?? 0
    let (least, most) = (table.values[Int(ascending[0])], table.values[Int(table.greatestCode)])
    greatest_key =
      FloatKey.first(near: FloatKey.of(most)) {
        Double(FloatKey.value($0)) > inner && encoded($0).overflows
      } - 1
    least_key = FloatKey.first(near: FloatKey.of(least)) {
      !(Double(FloatKey.value($0)) < inner && encoded($0).overflows)
    }
  }
}

/// FP32 numbers as signed integers in their order, -0 below +0.
enum FloatKey {
  /// The key of the finite number nearest to a value.
  static func of(_ value: Double) -> Int32 {
    let most = Float.greatestFiniteMagnitude
    let bits = Int32(bitPattern: min(max(Float(value), -most), most).bitPattern)
    return bits < 0 ? bits ^ .max : bits
  }

  /// The number of a key.
  static func value(_ key: Int32) -> Float {
    Float(bitPattern: UInt32(bitPattern: key < 0 ? key ^ .max : key))
  }

  /// The least key of a finite number that satisfies a condition, which holds for all keys above it; one
  /// more than the greatest key where none does.
  ///
  /// - Parameter guess: a key near it.
  static func first(near guess: Int32, where holds: (Int32) -> Bool) -> Int32 {
    let (least, greatest) = (
      Int(of(-.greatestFiniteMagnitude)), Int(of(.greatestFiniteMagnitude))
    )
    var (below, reached) = (least - 1, greatest + 1)
    var (step, probe) = (1, Int(guess))
    // Away from the guess in strides that double, until it lies between two.
    while probe > below && probe < reached {
      if holds(Int32(probe)) {
        reached = probe
        probe -= step
      } else {
        below = probe
        probe += step
      }
      step *= 2
    }
    while reached - below > 1 {
      let middle = below + (reached - below) / 2
      if holds(Int32(middle)) { reached = middle } else { below = middle }
    }
    return Int32(reached)
  }
}
