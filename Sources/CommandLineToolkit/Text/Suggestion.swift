/// Finds the known name that a mistyped one most likely stands for.
package enum Suggestion {
  /// The candidate nearest to `name`, or nil when none is near enough to be a plausible typing slip.
  ///
  /// Letter case is ignored, and `-` counts as `_`. Near enough is one edit for names of up to five
  /// characters and one more for every further three, at most four; an edit is an insertion, a
  /// deletion, a substitution or a swap of neighbours. Failing that, a `name` of three characters
  /// or more suggests the shortest candidate that begins with it. The earlier candidate wins a tie.
  package static func nearest(to name: String, in candidates: some Sequence<String>) -> String? {
    let target = folded(name)
    guard !target.isEmpty else { return nil }
    let cutoff = min(4, max(1, target.count / 3))
    var best: (candidate: String, distance: Int)?
    var completion: String?
    for candidate in candidates {
      let other = folded(candidate)
      if target.count >= 3, other.starts(with: target),
        candidate.count < completion?.count ?? Int.max
      {
        completion = candidate
      }
      guard abs(other.count - target.count) <= cutoff else { continue }
      let distance = editDistance(target, other)
      // As many edits as characters would be another word altogether.
      if distance <= cutoff, distance < target.count, distance < best?.distance ?? Int.max {
        best = (candidate, distance)
      }
    }
    return best?.candidate ?? completion
  }

  /// "; did you mean 'x'?" for the nearest candidate, or nothing.
  package static func question(for name: String, in candidates: some Sequence<String>) -> String {
    nearest(to: name, in: candidates).map { "; did you mean '\($0)'?" } ?? ""
  }

  /// The restricted Damerau-Levenshtein distance: no part of the text is edited twice.
  ///
  /// - Complexity: O(n·m) time, O(m) space.
  static func editDistance<Element: Equatable>(_ source: [Element], _ target: [Element]) -> Int {
    var beforePrevious: [Int] = []
    var previous = Array(0...target.count)
    for row in 0..<source.count {
      var current = [row + 1]
      current.reserveCapacity(target.count + 1)
      for column in 0..<target.count {
        let substitution = previous[column] + (source[row] == target[column] ? 0 : 1)
        var cost = min(previous[column + 1] + 1, current[column] + 1, substitution)
        if row > 0, column > 0, source[row] == target[column - 1],
          source[row - 1] == target[column]
        {
          cost = min(cost, beforePrevious[column - 1] + 1)
        }
        current.append(cost)
      }
      (beforePrevious, previous) = (previous, current)
    }
    return previous[target.count]
  }

  private static func folded(_ name: String) -> [Character] {
    name.lowercased().map { $0 == "-" ? "_" : $0 }
  }
}
