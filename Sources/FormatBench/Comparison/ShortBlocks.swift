import BlockFormats

extension BlockLayout {
  /// Whether a tensor has blocks with fewer elements than a whole one, at the end of an axis.
  ///
  /// Bare elements have no blocks to speak of.
  func leavesShortBlocks(in shape: [Int], axis: Int) -> Bool {
    let extents = shape.isEmpty ? [1] : shape
    let count = extents.reduce(1, *)
    guard fields.count > 1, count > 0 else { return false }
    switch block {
    case .vector(let length):
      return extents[axis < 0 ? axis + extents.count : axis] % length != 0
    case .run(let length): return count % length != 0
    case .tile(let rows, let columns):
      let height = extents.dropLast().last ?? 1
      return extents[extents.count - 1] % columns != 0 || height % rows != 0
    case .row, .tensor: return false
    }
  }
}

extension Comparison {
  /// A sentence for each number of tensors on which formats have short blocks; none where none has.
  var shortBlockNote: String? {
    let tensorCount = finiteTensorCount + nonFiniteTensorCount
    var formats: [Int: [String]] = [:]
    for (candidate, count) in zip(candidates, shortBlockCounts) where count > 0 {
      if formats[count]?.contains(candidate.format.id) != true {
        formats[count, default: []].append(candidate.format.id)
      }
    }
    guard !formats.isEmpty else { return nil }
    let parts = formats.sorted { $0.key > $1.key }.map { count, ids in
      "on \(count) of \(tensorCount) tensor\(tensorCount == 1 ? "" : "s") for "
        + ids.joined(separator: " ")
    }
    return "Last blocks are shorter, not padded, where a block does not divide its axis: "
      + parts.joined(separator: "; ") + "."
  }
}
