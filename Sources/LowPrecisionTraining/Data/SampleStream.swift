import BlockFormats
import CallerChecks

/// The random words of one sequence of one batch.
///
/// Words come from Philox4x32-10 under a key made of the seed. Its counter is (block, row, batch,
/// purpose), and it maps distinct counters to distinct blocks: no two streams of a seed ever use
/// the same counter, whatever their lengths.
struct SampleStream {
  /// What the words are for.
  enum Purpose: UInt32 {
    case training = 1
    case validation = 2
    case language = 3
    case corruption = 4
  }

  private let generator: Philox4x32
  private var counter: SIMD4<UInt32>
  private var block = SIMD4<UInt32>()
  private var used = 4

  /// - Precondition: Batch and row are at least 0 and below 2^32.
  init(seed: UInt64, purpose: Purpose, batch: Int, row: Int) {
    guard let batch = UInt32(exactly: batch), let row = UInt32(exactly: row) else {
      refuse("batch \(batch), row \(row) of a source of tokens")
    }
    // Stochastic rounding may use the same seed as its key; its words must not be the data's.
    generator = Philox4x32(seed: seed ^ 0x746f_6b65_6e73_2121)
    counter = SIMD4(0, row, batch, purpose.rawValue)
  }

  /// The next word.
  mutating func next() -> UInt32 {
    if used == 4 {
      block = generator.block(counter: counter)
      counter[0] += 1
      used = 0
    }
    defer { used += 1 }
    return block[used]
  }

  /// An integer from 0 up to the bound, exclusive; no two probabilities differ by more than 2^-64.
  mutating func below(_ bound: Int) -> Int {
    require(bound > 0, "a number below \(bound)")
    let word = UInt64(next()) << 32 | UInt64(next())
    return Int(word.multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// Moves a random selection of the elements, in random order, to the front.
  mutating func shuffle<Element>(_ elements: inout [Element], count: Int) {
    for index in 0..<count {
      elements.swapAt(index, index + below(elements.count - index))
    }
  }
}
