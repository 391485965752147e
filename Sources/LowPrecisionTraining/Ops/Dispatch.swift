internal import CTrainingKernels
import CallerChecks

/// The rows of an expert are filled up with zeros to a multiple of this.
///
/// Blocks and rotations along the tokens are then whole where they have 16 or 32 numbers, and the
/// number of rows takes few values from step to step.
///
/// Without a rotation along the tokens and without random bits, the zeros change no result: they
/// change no amax, their codes are zeros whatever the format and rounding, and fma(0, x, s) = s.
/// With a rotation, which a recipe may ask for in the weight gradient, they change it: the last
/// rotation mixes an expert's rows with the zeros instead of being a shorter one, so amax, codes and
/// products are others. With random bits along the tokens, elements have other indices, and so other
/// bits, than without the zeros.
let expertRowMultiple = 32

extension Tape {
  /// The rows of an expert, in order, and zeros up to a multiple of 32; `nil` if it has none.
  ///
  /// Letters: R rows, C channels, M rows of the expert. x: R x C, y: M' x C, M' = 32 ⌈M / 32⌉.
  ///
  /// - Precondition: the rows that were routed, and one of the experts.
  public func gather(_ x: Activation, for expert: Int, _ routing: Routing) -> Activation? {
    let c = x.columnCount
    require(
      x.rowCount == routing.rowCount,
      "an input of shape \(x.shape) for the routes of \(routing.rowCount) rows")
    require(
      (0..<routing.expertCount).contains(expert), "expert \(expert) of \(routing.expertCount)")
    let range = routing.range(of: expert)
    guard !range.isEmpty else { return nil }
    let (m, multiple) = (range.count, expertRowMultiple)
    let y = activation([(m + multiple - 1) / multiple * multiple, c])
    let k = routing.chosenCount
    nonisolated(unsafe) let (input, output, assignments, kernels) = (
      x.values, y.values, routing.assignments + range.lowerBound, execution.kernels
    )
    execution.forRows(m, columns: c) { rows in
      for index in rows {
        let row = Int(assignments[index]) / k
        (output + index * c).update(from: input + row * c, count: c)
      }
    }
    (output + m * c).update(repeating: 0, count: y.count - m * c)
    record(y) { [self] dy in
      // No row is there twice, and experts come one after the other, the last one first.
      nonisolated(unsafe) let (dx, dy) = (x.accumulatedGradient(), dy)
      execution.forRows(m, columns: c) { rows in
        for index in rows {
          let place = dx + Int(assignments[index]) / k * c
          kernels.pointee.add(place, dy + index * c, c, place)
        }
      }
    }
    return y
  }

  /// y[r] = Σ_{e ∈ S(r)} g_e(r) outputs_e[r]: the experts' rows back where they came from, added in
  /// order of the experts.
  ///
  /// Letters: R rows, C channels. outputs: of each expert what `gather` handed out, as C channels, and
  /// `nil` where it had nothing; y: R x C.
  ///
  /// - Precondition: an output for every expert that has rows.
  public func combine(_ outputs: [Activation?], _ routing: Routing) -> Activation {
    let (r, k, e) = (routing.rowCount, routing.chosenCount, routing.expertCount)
    let c = outputs.lazy.compactMap { $0 }.first?.columnCount ?? 0
    require(outputs.count == e, "\(outputs.count) outputs of \(e) experts")
    for (expert, output) in outputs.enumerated() {
      let m = routing.range(of: expert).count
      require(
        m == 0 || output.map { $0.rowCount >= m && $0.columnCount == c } ?? false,
        "an output of shape \(output?.shape ?? []) for \(m) rows of \(c) channels")
    }
    let y = activation(routing.rowShape + [c])
    let run = CombineRun(
      routing: routing, outputs: outputs.map { $0?.values }, channels: c, kernels: execution.kernels
    )
    nonisolated(unsafe) let result = y.values
    execution.forRows(r, columns: c * k) { run.sum($0, into: result) }
    record(y) { [self] dy in
      nonisolated(unsafe) let dy = dy
      contribute(to: routing.gates) { dgates in
        nonisolated(unsafe) let dgates = dgates
        execution.forRows(r, columns: c * k) { run.differentiateGates($0, dy, into: dgates) }
      }
      for (expert, output) in outputs.enumerated() {
        guard let output else { continue }
        contribute(to: output) { derivative in
          nonisolated(unsafe) let derivative = derivative
          execution.forRows(output.rowCount, columns: c) {
            run.differentiateOutput(of: expert, $0, dy, into: derivative)
          }
        }
      }
    }
    return y
  }
}

/// One weighted sum of experts' outputs; its rows are independent of each other.
private struct CombineRun: @unchecked Sendable {
  let routing: Routing
  let outputs: [UnsafeMutablePointer<Float>?]
  /// C.
  let channels: Int
  let kernels: UnsafePointer<BKTrainingKernels>

  /// The output that an assignment stands for.
  private func output(_ assignment: Int) -> UnsafeMutablePointer<Float>? {
    outputs[Int(routing.experts[assignment])].map {
      $0 + Int(routing.places[assignment]) * channels
    }
  }

  func sum(_ rows: Range<Int>, into result: UnsafeMutablePointer<Float>) {
    let k = routing.chosenCount
    for row in rows {
      let line = result + row * channels
      line.update(repeating: 0, count: channels)
      for assignment in row * k..<(row + 1) * k {
        guard let output = output(assignment) else { continue }
        kernels.pointee.add_scaled(output, routing.gates.values[assignment], channels, line)
      }
    }
  }

  /// dg_e = dy · outputs_e.
  func differentiateGates(
    _ rows: Range<Int>, _ dy: UnsafePointer<Float>, into dgates: UnsafeMutablePointer<Float>
  ) {
    let k = routing.chosenCount
    for assignment in rows.lowerBound * k..<rows.upperBound * k {
      dgates[assignment] =
        output(assignment).map { dot(dy + assignment / k * channels, $0, channels) } ?? 0
    }
  }

  /// doutputs_e = g_e dy, and zeros for the rows that fill it up.
  func differentiateOutput(
    of expert: Int, _ rows: Range<Int>, _ dy: UnsafePointer<Float>,
    into result: UnsafeMutablePointer<Float>
  ) {
    let range = routing.range(of: expert)
    for index in rows {
      let line = result + index * channels
      guard index < range.count else {
        line.update(repeating: 0, count: channels)
        continue
      }
      let assignment = Int(routing.assignments[range.lowerBound + index])
      let gradient = dy + assignment / routing.chosenCount * channels
      kernels.pointee.scale(gradient, routing.gates.values[assignment], channels, line)
    }
  }
}

/// Σ x y: element i is added to lane i mod 16, in order; then lanes j and j + 8 are added, j and j + 4,
/// j and j + 2, and the last two.
private func dot(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ count: Int) -> Float {
  var lanes = SIMD16<Float>()
  let (a, b) = (UnsafeRawPointer(x), UnsafeRawPointer(y))
  let whole = count / 16 * 16
  for start in stride(from: 0, to: whole, by: 16) {
    lanes +=
      a.loadUnaligned(fromByteOffset: 4 * start, as: SIMD16<Float>.self)
      * b.loadUnaligned(fromByteOffset: 4 * start, as: SIMD16<Float>.self)
  }
  for index in whole..<count { lanes[index - whole] += x[index] * y[index] }
  let eight = lanes.lowHalf + lanes.highHalf
  let four = eight.lowHalf + eight.highHalf
  let two = four.lowHalf + four.highHalf
  return two.x + two.y
}
