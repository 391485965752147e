internal import CallerChecks

/// Chooses one of several options for each of many items, so that the total cost is least within a budget
/// of bytes: the multiple-choice knapsack problem.
///
/// The options of an item that lie on the lower convex hull of cost over bytes are taken in the order of what
/// a byte saves. Where the budget ends within a step, that step in part gives the optimum of the relaxed
/// problem, which no choice can be below: the bound. The rest of the budget goes to single steps that fit,
/// the one that saves most first.
///
/// Source: Sinha and Zoltners, "The multiple-choice knapsack problem", Operations Research 27 (1979).
struct BudgetSolver {
  /// What an item may become.
  struct Option: Hashable {
    /// The bytes that it takes.
    let byteCount: Int
    /// What it costs; at least 0.
    let cost: Double
  }

  /// The index of the chosen option of each item.
  let choices: [Int]
  /// The bytes of all choices.
  let byteCount: Int
  /// The cost of all choices.
  let cost: Double
  /// What no choice within the budget can be below.
  let bound: Double

  /// A step from one option of an item to the next on its hull.
  private struct Step {
    let item: Int
    let option: Int
    let byteCount: Int
    let saving: Double

    var rate: Double { saving / Double(byteCount) }
  }

  /// Solves a problem.
  ///
  /// - Returns: nil where even the smallest options exceed the budget.
  /// - Precondition: every item has an option; bytes and costs are finite numbers from 0 on whose sums are.
  init?(_ items: [[Option]], budget: Int) {
    require(items.allSatisfy { !$0.isEmpty }, "an item without options")
    require(
      items.joined().allSatisfy { $0.byteCount >= 0 && (0..<Double.infinity).contains($0.cost) },
      "an option of a negative or endless cost")
    let hulls = items.map(Self.hull)
    var choices = hulls.map { $0[0] }
    var bytes = zip(items, choices).reduce(0) { $0 + $1.0[$1.1].byteCount }
    guard bytes <= budget else { return nil }
    var steps: [Step] = []
    for (item, hull) in hulls.enumerated() {
      for (from, to) in zip(hull, hull.dropFirst()) {
        let (a, b) = (items[item][from], items[item][to])
        steps.append(
          Step(
            item: item, option: to, byteCount: b.byteCount - a.byteCount, saving: a.cost - b.cost))
      }
    }
    // Along a hull rates fall, so that a stable sort keeps the steps of an item in order.
    steps = steps.enumerated().sorted {
      $0.element.rate != $1.element.rate
        ? $0.element.rate > $1.element.rate : $0.offset < $1.offset
    }.map(\.element)
    var isOpen = true
    var part = 0.0
    for step in steps {
      if isOpen && bytes + step.byteCount <= budget {
        bytes += step.byteCount
        choices[step.item] = step.option
      } else if isOpen {
        part = step.saving * (Double(budget - bytes) / Double(step.byteCount))
        isOpen = false
      }
    }
    // Summed anew: differences of large costs would leave little of small ones.
    let bound = max(0, zip(items, choices).reduce(0) { $0 + $1.0[$1.1].cost } - part)
    // What is left of the budget.
    var improves = !isOpen
    while improves {
      improves = false
      var best: (item: Int, option: Int, saving: Double)?
      for (item, options) in items.enumerated() {
        let own = options[choices[item]]
        for (index, option) in options.enumerated() {
          let saving = own.cost - option.cost
          guard saving > (best?.saving ?? 0),
            bytes - own.byteCount + option.byteCount <= budget
          else { continue }
          best = (item, index, saving)
        }
      }
      if let best {
        bytes +=
          items[best.item][best.option].byteCount
          - items[best.item][choices[best.item]].byteCount
        choices[best.item] = best.option
        improves = true
      }
    }
    self.choices = choices
    byteCount = bytes
    cost = zip(items, choices).reduce(0) { $0 + $1.0[$1.1].cost }
    self.bound = min(bound, cost)
  }

  /// The options on the lower convex hull, from the fewest bytes on.
  private static func hull(_ options: [Option]) -> [Int] {
    let order = options.indices.sorted {
      let (a, b) = (options[$0], options[$1])
      return a.byteCount != b.byteCount ? a.byteCount < b.byteCount : a.cost < b.cost
    }
    var hull: [Int] = []
    for index in order {
      let option = options[index]
      if let last = hull.last, option.cost >= options[last].cost { continue }
      if let last = hull.last, option.byteCount == options[last].byteCount { continue }
      while hull.count >= 2 {
        let (a, b) = (options[hull[hull.count - 2]], options[hull[hull.count - 1]])
        let before = (a.cost - b.cost) * Double(option.byteCount - b.byteCount)
        let after = (b.cost - option.cost) * Double(b.byteCount - a.byteCount)
        guard before <= after else { break }
        hull.removeLast()
      }
      hull.append(index)
    }
    return hull
  }
}
