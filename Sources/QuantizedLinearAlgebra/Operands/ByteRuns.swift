/// How a group of 8-bit integers is summed in 16 bits: in runs of words, from columns of unsigned bytes.
///
/// A column's integer b is stored as the byte b + `bias`, which no longer has a sign, and the
/// instruction adds two products of such bytes and a row's integers, saturating at 16 bits. With |a| and
/// |b| the largest magnitudes of both operands, and the bias |b|:
///
/// - A byte is at most 2 |b|, and two products together at most 4 |a| |b|: they never saturate below 2^15.
/// - A 16-bit lane takes two products of every word. It begins as -bias times the sum of the row's
///   integers that it meets, so that after r words it is the sum of a · b, modulo 2^16, whatever it was
///   on the way: a sum of at most 2 r |a| |b|, which 16 bits hold below 2^15.
/// - Sums of runs are added in 32 bits, where the definition's groups fit.
///
/// So the sum of a group is exact, and the unit's result the definition's.
struct ByteRuns: Hashable, Sendable {
  /// What is added to the integers of columns.
  let bias: Int
  /// Words of a run, even; the last one of a group may be shorter.
  let wordCount: Int

  private static let limit = 1 << 15
  private static let bytesPerLane = 2

  /// - Parameters:
  ///   - rows: the largest magnitude of the rows' integers.
  ///   - columns: that of the columns'.
  ///   - words: those of a group.
  /// - Returns: `nil` where two products may leave 16 bits, or a byte eight.
  init?(rows: Int, columns: Int, words: Int) {
    let product = rows * columns
    guard (1...127).contains(columns), 2 * Self.bytesPerLane * product < Self.limit else {
      return nil
    }
    bias = columns
    // At least two.
    let most = (Self.limit - 1) / max(Self.bytesPerLane * product, 1)
    let runs = max(1, (words + most - 1) / most)
    // Of about equal length, whole steps of four words where these fit, and pairs for nibbles.
    let even = (words + runs - 1) / runs
    let steps = (even + 3) / 4 * 4
    wordCount = max(2, steps <= most ? steps : even % 2 == 0 ? even : min(even + 1, most / 2 * 2))
  }

  /// The runs of a group.
  func count(words: Int) -> Int { (words + wordCount - 1) / wordCount }
}
