internal import CTrainingKernels
import CallerChecks
import QuantizedLinearAlgebra

/// The heads of a Mamba-2 layer.
///
/// Letters: B sequences, T steps, H heads of P channels, G groups of H / G heads that share their
/// maps, N numbers of a channel's state.
public struct StateSpaceHeads: Hashable, Sendable {
  /// H.
  public let count: Int
  /// P.
  public let size: Int
  /// G, a divisor of H.
  public let groupCount: Int
  /// N.
  public let stateCount: Int

  /// Q, the steps of a chunk.
  ///
  /// States are rounded between chunks, so it is part of what is computed.
  public static let chunk = Int(BK_CHUNK_STEPS)

  /// - Precondition: positive, and G divides H.
  public init(count: Int, size: Int, groupCount: Int = 1, stateCount: Int) {
    require(
      count > 0 && size > 0 && groupCount > 0 && stateCount > 0 && count % groupCount == 0,
      "\(count) heads of \(size) channels in \(groupCount) groups of \(stateCount) numbers")
    (self.count, self.size) = (count, size)
    (self.groupCount, self.stateCount) = (groupCount, stateCount)
  }

  /// The channels, H P.
  public var channelCount: Int { count * size }
  /// The numbers of B or C of a step, G N.
  public var mapCount: Int { groupCount * stateCount }
  /// Heads of a group.
  var share: Int { count / groupCount }
}

extension Tape {
  /// The scan of Mamba-2, head by head: h_t = exp(Δ_t A) h_{t-1} + Δ_t x_t B_tᵀ, a P x N state that
  /// is zero at first, and y_t = h_t C_t + D x_t with A = -exp(A_log).
  ///
  /// Computed in chunks of Q steps, where cs is the inclusive sum of Δ A inside the chunk, H the state
  /// that enters it, X = Δ x, and L[l][s] = exp(cs_l - cs_s) for s ≤ l, 0 beyond:
  ///
  /// - y = D x + (C Bᵀ ∘ L) X + exp(cs) ∘ (C Hᵀ),
  /// - the state that leaves the chunk is exp(cs_Q) H + Σ_s exp(cs_Q - cs_s) X_s B_sᵀ.
  ///
  /// Products are FP32 chains in order of the contracted axis, each onto the terms before it. The
  /// differences in L are those of sums with the precision of two FP32 numbers, so that no decay loses
  /// digits beside a stronger one.
  ///
  /// Source: Dao and Gu, arXiv 2405.21060, section 6.
  ///
  /// - Parameters:
  ///   - x: B x T x H P.
  ///   - dt: Δ: B x T x H, at least 0.
  ///   - a: A_log: H.
  ///   - b: B x T x G N.
  ///   - c: B x T x G N.
  ///   - d: H.
  ///   - heads: H, P, G and N.
  ///   - narrowState: rounds the states between chunks, rows of N numbers, whose indices are those in
  ///     B x (chunks - 1) x H x P x N: the states that leave every chunk but the last.
  public func stateSpaceDual(
    x: Activation, dt: Activation, a: Parameter, b: Activation, c: Activation, d: Parameter,
    heads: StateSpaceHeads, narrowState: StateNarrowing? = nil
  ) -> Activation {
    require(
      x.shape.count == 3 && x.columnCount == heads.channelCount,
      "an input of shape \(x.shape) for \(heads.count) heads of \(heads.size) channels")
    let rows = Array(x.shape.dropLast())
    require(
      dt.shape == rows + [heads.count] && b.shape == rows + [heads.mapCount]
        && c.shape == b.shape,
      "steps and maps of shapes \(dt.shape), \(b.shape), \(c.shape) for an input \(x.shape)")
    require(
      a.shape == [heads.count] && d.shape == [heads.count],
      "decays and passes of shapes \(a.shape) and \(d.shape) for \(heads.count) heads")
    let y = activation(x.shape)
    let states = StateSpaceRun.stateCount(heads, sequences: rows[0], steps: rows[1])
    let run = StateSpaceRun(
      heads: heads, sequences: rows[0], steps: rows[1], x: x.values, dt: dt.values,
      b: b.values, c: c.values, d: d.values, decays: memory.floats(heads.count),
      states: memory.floats(states), kernels: execution.kernels)
    execution.kernels.pointee.apply(BK_EXP, a.values, heads.count, run.decays)
    execution.kernels.pointee.scale(run.decays, -1, heads.count, run.decays)
    let items = rows[0] * heads.groupCount
    nonisolated(unsafe) let output = y.values
    memory.temporarily {
      let workers = stateSpaceWorkers(items, heads)
      execution.parallelism.share(items) { worker, item in
        run.goForward(
          into: output, sequence: item / heads.groupCount, group: item % heads.groupCount,
          narrowState, workers[worker])
      }
    }
    record(y, reading: [a, d]) { [self] dy in
      contribute(to: [x, dt, b, c]) { places in
        nonisolated(unsafe) let dy = dy
        let back = StateSpaceGradient(
          run: run, dx: places[0], ddt: places[1], db: places[2], dc: places[3],
          da: memory.floats(heads.count * rows[0] * run.chunkCount),
          dd: memory.floats(heads.count * rows[0] * run.chunkCount))
        let workers = stateSpaceWorkers(items, heads)
        execution.parallelism.share(items) { worker, item in
          back.goBack(
            dy, sequence: item / heads.groupCount, group: item % heads.groupCount,
            workers[worker])
        }
        back.addSums(decays: a.gradient, passes: d.gradient)
      }
    }
    return y
  }

  private func stateSpaceWorkers(_ items: Int, _ heads: StateSpaceHeads) -> [StateSpaceWorker] {
    (0..<execution.parallelism.workerCount(forItems: items)).map { _ in
      StateSpaceWorker(heads, memory)
    }
  }
}

/// Memory of a worker: the matrices of one chunk of one head, with Q rows unless said otherwise.
struct StateSpaceWorker: @unchecked Sendable {
  typealias Numbers = UnsafeMutablePointer<Float>

  /// Q x Q each: C Bᵀ of the group, L, (C Bᵀ) ∘ L, and derivatives by the first and the last.
  let scores, decays, weights, scoresGradient, weightsGradient: Numbers
  /// Q x P each: X, rows of P times a factor, and the derivative by X.
  let input, scaledInput, inputGradient: Numbers
  /// Q x N each: rows of B or C times a factor, and contributions to their derivatives.
  let scaledMap, mapGradient: Numbers
  /// A transposed matrix: N x Q, P x Q or N x P.
  let turned: Numbers
  /// The derivatives by the states of all heads of a group: each P x N.
  let stateGradients: Numbers
  /// Q each: Δ, cs in two numbers, exp(cs), exp(cs_Q - cs), D, and sums over rows or steps.
  let dt, sums, rests, fromStart, toEnd, pass, rowSums, stepSums, startSums, endSums: Numbers

  init(_ heads: StateSpaceHeads, _ memory: StepMemory) {
    let q = StateSpaceHeads.chunk
    let (p, n) = (heads.size, heads.stateCount)
    func make(_ count: Int) -> Numbers { memory.floats(count) }
    (scores, decays, weights) = (make(q * q), make(q * q), make(q * q))
    (scoresGradient, weightsGradient) = (make(q * q), make(q * q))
    (input, scaledInput, inputGradient) = (make(q * p), make(q * p), make(q * p))
    (scaledMap, mapGradient) = (make(q * n), make(q * n))
    turned = make(max(q * n, q * p, n * p))
    stateGradients = make(heads.share * p * n)
    (dt, sums, rests, fromStart, toEnd) = (make(q), make(q), make(q), make(q), make(q))
    (pass, rowSums, stepSums, startSums, endSums) = (make(q), make(q), make(q), make(q), make(q))
  }
}
