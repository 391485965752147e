internal import CTrainingKernels
import CallerChecks

/// Which experts each row goes to, and with what weight.
///
/// Letters: R rows, E experts, K experts of a row. Assignment r K + j sends row r to the j-th of its
/// experts, which rise with j.
public final class Routing {
  /// E.
  public let expertCount: Int
  /// K.
  public let chosenCount: Int
  /// The extents of the rows, R in all.
  let rowShape: [Int]
  /// The weights of each row's experts, which add up to 1: R x K.
  public let gates: Activation
  let logits: Activation
  /// R x E.
  let probabilities: UnsafeMutablePointer<Float>
  /// The expert of each assignment: R x K.
  let experts: UnsafeMutablePointer<Int32>
  /// The assignments of expert after expert, each expert's in order of the rows: R K.
  let assignments: UnsafeMutablePointer<Int32>
  /// Where each assignment stands among those of its expert: R x K.
  let places: UnsafeMutablePointer<Int32>
  /// Where each expert's assignments start, and their end: E + 1.
  let starts: UnsafeMutablePointer<Int32>

  /// R.
  var rowCount: Int { logits.rowCount }

  fileprivate init(_ logits: Activation, choosing k: Int, on tape: Tape) {
    let (r, e) = (logits.rowCount, logits.columnCount)
    (expertCount, chosenCount) = (e, k)
    rowShape = Array(logits.shape.dropLast())
    self.logits = logits
    gates = tape.activation(rowShape + [k])
    probabilities = tape.memory.floats(r * e)
    experts = tape.memory.integers(r * k)
    assignments = tape.memory.integers(r * k)
    places = tape.memory.integers(r * k)
    starts = tape.memory.integers(e + 1)
  }

  /// The assignments of an expert, as a range of `assignments`.
  func range(of expert: Int) -> Range<Int> { Int(starts[expert])..<Int(starts[expert + 1]) }

  /// The rows that each expert gets.
  public var loads: [Int] { (0..<expertCount).map { range(of: $0).count } }

  /// The experts of each row, rising: R x K.
  public var chosen: [Int] { (0..<rowCount * chosenCount).map { Int(experts[$0]) } }

  // MARK: - Filling

  /// Probabilities, experts and weights of a band of rows.
  fileprivate func decide(_ rows: Range<Int>, _ kernels: UnsafePointer<BKTrainingKernels>) {
    let (e, k) = (expertCount, chosenCount)
    var shape = BKRowShape(rows: rows.count, columns: e, stride: e)
    let first = rows.lowerBound * e
    kernels.pointee.softmax(&shape, e, 0, 1, logits.values + first, probabilities + first)
    for row in rows {
      let (line, chosen) = (probabilities + row * e, experts + row * k)
      Self.choose(k, of: line, count: e, into: chosen)
      let sum = (0..<k).reduce(Float(0)) { $0 + line[Int(chosen[$1])] }
      for j in 0..<k { gates.values[row * k + j] = line[Int(chosen[j])] / sum }
    }
  }

  /// The indices of the K largest numbers, of equal ones the first, in rising order.
  private static func choose(
    _ k: Int, of numbers: UnsafePointer<Float>, count: Int,
    into chosen: UnsafeMutablePointer<Int32>
  ) {
    /// Moves an index ahead of those before it that `isAfter` finds behind it.
    func insert(_ index: Int32, at end: Int, _ isAfter: (Int32) -> Bool) {
      var place = end
      while place > 0 && isAfter(chosen[place - 1]) {
        chosen[place] = chosen[place - 1]
        place -= 1
      }
      chosen[place] = index
    }
    // By falling number first. NaN is greater than nothing, so that the indices always differ.
    for index in 0..<count {
      let number = numbers[index]
      if index >= k && !(number > numbers[Int(chosen[k - 1])]) { continue }
      insert(Int32(index), at: min(index, k - 1)) { number > numbers[Int($0)] }
    }
    for j in 1..<max(k, 1) {
      let index = chosen[j]
      insert(index, at: j) { $0 > index }
    }
  }

  /// Sorts the assignments by expert.
  fileprivate func sort() {
    let count = rowCount * chosenCount
    starts.update(repeating: 0, count: expertCount + 1)
    for index in 0..<count {
      let expert = Int(experts[index])
      places[index] = starts[expert + 1]
      starts[expert + 1] += 1
    }
    for expert in 0..<expertCount { starts[expert + 1] += starts[expert] }
    for index in 0..<count {
      assignments[Int(starts[Int(experts[index])] + places[index])] = Int32(index)
    }
  }
}

extension Tape {
  /// Sends every row to its K most probable experts.
  ///
  /// Letters: R rows, E experts. logits: R x E. With p = softmax(logits) and S a row's K experts of
  /// largest p, of equal ones those of lower index, the weights are g_e = p_e / Σ_{i ∈ S} p_i. That is
  /// the softmax of the chosen logits alone, so dlogits_e = g_e (dg_e - Σ_{i ∈ S} g_i dg_i) for e ∈ S,
  /// and 0 for the others.
  ///
  /// - Precondition: K is in 1...E.
  public func route(_ logits: Activation, choosing k: Int) -> Routing {
    let (r, e) = (logits.rowCount, logits.columnCount)
    require(k >= 1 && k <= e, "\(k) of \(e) experts cannot be chosen")
    let routing = Routing(logits, choosing: k, on: self)
    nonisolated(unsafe) let (made, kernels) = (routing, execution.kernels)
    execution.forRows(r, columns: e) { made.decide($0, kernels) }
    routing.sort()
    record(routing.gates) { [self] dgates in
      nonisolated(unsafe) let (dgates, gates, experts) = (
        dgates, routing.gates.values, routing.experts
      )
      contribute(to: logits) { dlogits in
        nonisolated(unsafe) let dlogits = dlogits
        execution.forRows(r, columns: e) { rows in
          for row in rows {
            let (line, first) = (dlogits + row * e, row * k)
            line.update(repeating: 0, count: e)
            let mean = (first..<first + k).reduce(Float(0)) { $0 + gates[$1] * dgates[$1] }
            for index in first..<first + k {
              line[Int(experts[index])] = gates[index] * (dgates[index] - mean)
            }
          }
        }
      }
    }
    return routing
  }

  /// How unevenly rows go to experts: E Σ_e f_e P_e, a tensor of one number.
  ///
  /// f_e is the share of the R K assignments that expert e gets, a constant for the gradient, and P_e
  /// the mean over rows of p_e. The loss is 1 where every expert has the same share, or the same mean.
  ///
  /// Source: Fedus et al., "Switch Transformers", arXiv 2101.03961, equations 4 to 6 without α, with
  /// f counted over the K experts of a row.
  public func balanceLoss(of routing: Routing) -> Activation {
    let (r, e) = (routing.rowCount, routing.expertCount)
    let loss = activation([1])
    // E f_e / R
    nonisolated(unsafe) let factors = memory.floats(e)
    let sums = memory.floats(e)
    sums.update(repeating: 0, count: e)
    addColumnSums(of: routing.probabilities, rows: r, columns: e, to: sums, on: self)
    var total = 0.0
    for expert in 0..<e {
      let share =
        Double(routing.range(of: expert).count) / Double(max(r * routing.chosenCount, 1))
      let factor = Double(e) * share / Double(max(r, 1))
      factors[expert] = Float(factor)
      total += factor * Double(sums[expert])
    }
    loss.values[0] = Float(total)
    record(loss) { [self] dloss in
      let scale = dloss[0]
      nonisolated(unsafe) let probabilities = routing.probabilities
      contribute(to: routing.logits) { dlogits in
        nonisolated(unsafe) let dlogits = dlogits
        execution.forRows(r, columns: e) { rows in
          for row in rows {
            let (p, line) = (probabilities + row * e, dlogits + row * e)
            let mean = (0..<e).reduce(Float(0)) { $0 + factors[$1] * p[$1] }
            for expert in 0..<e { line[expert] = scale * p[expert] * (factors[expert] - mean) }
          }
        }
      }
    }
    return loss
  }
}
