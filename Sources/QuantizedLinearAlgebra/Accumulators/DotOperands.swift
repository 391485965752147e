import NumericSupport

/// One row of each operand of a product as exact numbers: what accumulators sum.
struct DotOperands {
  let unit: ProductUnit
  /// The elements of a group; the last one may be shorter.
  let groupLength: Int
  /// K elements each: normal numbers of `Double` or zeros, at most 24 significant bits, or not
  /// finite.
  let a: UnsafeBufferPointer<Double>
  let b: UnsafeBufferPointer<Double>
  /// The scales of each group; empty without scales.
  let scalesA: UnsafeBufferPointer<Float>
  let scalesB: UnsafeBufferPointer<Float>
  /// What the offsets of each operand add to groups.
  let offsetsA: Offsets
  let offsetsB: Offsets
  /// The exponent of the power of two that belongs to every product of two scales.
  let scaleExponent: Int
  /// The bits that hold the largest possible dot product of a group; 1 for units that are not exact.
  let dotBitWidth: Int

  /// The numbers of an operand's row that products with offsets take, one for each group.
  struct Offsets {
    /// The values of the middle codes; empty where this operand has no offsets.
    var middles: ArraySlice<Float>
    /// The sums that the other operand's middle values meet; empty where that has no offsets.
    var sums: ArraySlice<Float>

    /// The middle value or the sum of a group.
    static func number(_ group: Int, of numbers: ArraySlice<Float>) -> Float {
      numbers[numbers.startIndex + group]
    }
  }

  /// Adds what offsets bring to a group.
  func addOffsets(_ group: Int, to sum: inout Float) {
    if !offsetsB.middles.isEmpty {
      sum.addProduct(
        Offsets.number(group, of: offsetsA.sums), Offsets.number(group, of: offsetsB.middles))
    }
    if !offsetsA.middles.isEmpty {
      sum.addProduct(
        Offsets.number(group, of: offsetsA.middles), Offsets.number(group, of: offsetsB.sums))
    }
  }

  /// The number of groups.
  var groupCount: Int { a.isEmpty ? 0 : (a.count - 1) / groupLength + 1 }

  /// The elements of a group.
  func range(_ group: Int) -> Range<Int> {
    let start = group * groupLength
    return start..<min(start + groupLength, a.count)
  }

  /// The elements of both operands in a group.
  func elements(
    _ group: Int
  ) -> (UnsafeBufferPointer<Double>, UnsafeBufferPointer<Double>) {
    let range = range(group)
    return (UnsafeBufferPointer(rebasing: a[range]), UnsafeBufferPointer(rebasing: b[range]))
  }

  /// fl₂₄(sₐ · s_b) of a group; 1 without scales.
  func roundedScale(_ group: Int) -> ScaleProduct {
    scalesA.isEmpty
      ? .one : ScaleProduct(scalesA[group], scalesB[group], exponent: scaleExponent)
  }

  /// sₐ · s_b of a group, exact: not finite, zero, or of a magnitude in 2^-738..<2^696.
  func exactScale(_ group: Int) -> Double {
    scalesA.isEmpty
      ? 1
      : Double.scaled(
        Double(scalesA[group]) * Double(scalesB[group]), byPowerOfTwo: scaleExponent)
  }

  /// Adds the exact products of a group with their scales.
  func add(_ group: Int, to sum: inout ExactSum) {
    let scale = exactScale(group)
    if unit.isExact {
      // Integers, with exact sums below 2^31.
      let (a, b) = elements(group)
      sum.add(zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }, times: scale)
    } else {
      for index in range(group) { sum.add(a[index] * b[index], times: scale) }
    }
  }
}
