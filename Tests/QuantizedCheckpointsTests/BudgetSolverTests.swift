import FormatTestSupport
import Testing

@testable import QuantizedCheckpoints

@Suite("Choosing under a budget")
struct BudgetSolverTests {
  private typealias Option = BudgetSolver.Option

  /// The least cost of all choices within a budget; nil where there is none.
  private func best(_ items: [[Option]], _ budget: Int) -> Double? {
    var sums: [(bytes: Int, cost: Double)] = [(0, 0)]
    for options in items {
      sums = sums.flatMap { sum in
        options.map { (sum.bytes + $0.byteCount, sum.cost + $0.cost) }
      }
    }
    return sums.filter { $0.bytes <= budget }.map(\.cost).min()
  }

  @Test(
    "A plan is within its budget, and the least cost between its bound and its cost",
    arguments: 0..<40)
  func bruteForce(_ seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    func below(_ bound: Int) -> Int { Int(generator.next() % UInt64(bound)) }
    var exact = 0
    for _ in 0..<25 {
      // Whole costs, so that sums are exact; few values, so that there are ties.
      let range = [3, 20, 1000][below(3)]
      let items = (0..<1 + below(6)).map { _ in
        (0..<1 + below(4)).map { _ in
          Option(byteCount: below(range), cost: Double(below(range)))
        }
      }
      let (least, most) = items.reduce((0, 0)) { sum, options in
        let bytes = options.map(\.byteCount)
        return (sum.0 + (bytes.min() ?? 0), sum.1 + (bytes.max() ?? 0))
      }
      for budget in Set([
        least - 1, least, (least + most) / 2, most, most + 7, (3 * least + most) / 4,
      ]) {
        guard let optimum = best(items, budget) else {
          #expect(BudgetSolver(items, budget: budget) == nil)
          continue
        }
        let solved = try #require(BudgetSolver(items, budget: budget))
        let chosen = zip(items, solved.choices).map { $0[$1] }
        #expect(solved.choices.count == items.count)
        #expect(chosen.reduce(0) { $0 + $1.byteCount } == solved.byteCount)
        #expect(chosen.reduce(0) { $0 + $1.cost } == solved.cost)
        #expect(solved.byteCount <= budget)
        #expect(solved.cost >= optimum)
        #expect(solved.bound <= optimum * (1 + 1e-12) && solved.bound >= 0)
        if solved.cost == optimum { exact += 1 }
      }
    }
    #expect(exact > 40)
  }

  @Test("With room for everything, every item has its cheapest option and the bound is the cost")
  func room() throws {
    let items = (1...50).map { item in
      [Option(byteCount: 1, cost: 1e20), Option(byteCount: 2, cost: Double(item) / 3)]
    }
    let solved = try #require(BudgetSolver(items, budget: 100))
    #expect(solved.choices == [Int](repeating: 1, count: 50))
    // Costs of which the dear ones are 10^19 times the others leave no error behind.
    #expect(solved.bound == solved.cost)
    #expect(solved.cost == (1...50).reduce(0) { $0 + Double($1) / 3 })
  }

  @Test("Options that others are better than are never chosen, and no item is a problem of none")
  func dominated() throws {
    let items = [
      [Option(byteCount: 4, cost: 9), Option(byteCount: 3, cost: 1), Option(byteCount: 5, cost: 1)]
    ]
    for budget in 3...9 { #expect(BudgetSolver(items, budget: budget)?.choices == [1]) }
    #expect(BudgetSolver([], budget: 0)?.cost == 0)
    #expect(BudgetSolver([], budget: -1) == nil)
  }
}
