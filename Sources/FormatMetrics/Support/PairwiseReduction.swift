/// A reduction in a fixed binary tree over a sequence whose length is not known in advance.
///
/// The tree over n items is: the item itself for n = 1, else the tree over the first p items combined
/// with the tree over the others, where p is the largest power of two below n. Its shape depends on n
/// alone, so a floating-point sum comes out bit for bit the same however the items were produced,
/// and its rounding error grows with log2(n) instead of n.
struct PairwiseReduction<Item: Sendable>: Sendable {
  /// Finished subtrees, one for each bit set in `count`, the largest and earliest first.
  private var subtrees: [Item] = []
  private var count = 0
  private let combine: @Sendable (Item, Item) -> Item

  init(_ combine: @escaping @Sendable (Item, Item) -> Item) {
    self.combine = combine
  }

  /// Adds the next item of the sequence.
  mutating func append(_ item: Item) {
    var subtree = item
    // As in binary counting, every trailing one of `count` is a finished subtree of equal size.
    for _ in 0..<(~count).trailingZeroBitCount {
      subtree = combine(subtrees.removeLast(), subtree)
    }
    subtrees.append(subtree)
    count += 1
  }

  /// Returns the root of the tree over all items added so far, or `nil` for no item.
  func result() -> Item? {
    guard var root = subtrees.last else { return nil }
    for subtree in subtrees.dropLast().reversed() {
      root = combine(subtree, root)
    }
    return root
  }
}

extension Sequence where Element == Double {
  /// The sum of the elements in the fixed tree of `PairwiseReduction`; 0 for an empty sequence.
  func pairwiseSum() -> Double {
    var reduction = PairwiseReduction<Double> { $0 + $1 }
    for element in self {
      reduction.append(element)
    }
    return reduction.result() ?? 0
  }
}
