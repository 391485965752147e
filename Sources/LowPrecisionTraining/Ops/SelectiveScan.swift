internal import CTrainingKernels
import CallerChecks
import QuantizedLinearAlgebra

extension Tape {
  /// The selective scan of Mamba: y[t] = Σ_n C[t][n] h[t][n] + D u[t], channel by channel, where
  /// h[t][n] = exp(Δ[t] A[n]) h[t-1][n] + Δ[t] B[t][n] u[t] is 0 before the first step.
  ///
  /// Letters: B sequences, T steps, D channels, N states of a channel. u, Δ, y: B x T x D; A, whose
  /// parameter is log(-A): D x N; B and C: B x T x N; D: D.
  ///
  /// Only the states between chunks of 32 steps are kept for the way back.
  ///
  /// Source: Gu and Dao, "Mamba", arXiv 2312.00752, equations 2 and 3 with the products Δ B in place
  /// of the discretized B, as in the authors' code.
  ///
  /// - Parameters:
  ///   - dt: Δ, positive.
  ///   - a: log(-A).
  ///   - narrowState: rounds the states between chunks, D rows of N numbers for each sequence.
  public func selectiveScan(
    u: Activation, dt: Activation, a: Parameter, b: Activation, c: Activation, d: Parameter,
    narrowState: StateNarrowing? = nil
  ) -> Activation {
    require(
      u.shape.count == 3 && dt.shape == u.shape, "inputs of shapes \(u.shape) and \(dt.shape)")
    let (sequences, steps, channels) = (u.shape[0], u.shape[1], u.shape[2])
    let states = b.columnCount
    require(
      states > 0 && b.shape == [sequences, steps, states] && c.shape == b.shape,
      "maps of shapes \(b.shape) and \(c.shape) for an input of shape \(u.shape)")
    require(
      a.shape == [channels, states] && d.shape == [channels],
      "rates and skips of shapes \(a.shape) and \(d.shape) for \(channels) channels")
    let y = activation(u.shape)
    let run = ScanRun(
      sequences: sequences, steps: steps, channels: channels, states: states, u: u.values,
      dt: dt.values, b: b.values, c: c.values, skips: d.values,
      rates: memory.floats(states * channels),
      kept: memory.floats(
        sequences * (ScanRun.chunkCount(steps) + 1) * states * channels),
      kernels: execution.kernels)
    memory.temporarily { run.setRates(a.values, scratch: memory.floats(a.count)) }
    nonisolated(unsafe) let output = y.values
    memory.temporarily {
      let rowNumbers = ScanRun.blockSize * states
      let workers = execution.parallelism.workerCount(forItems: run.taskCount)
      nonisolated(unsafe) let rows = narrowState.map {
        ($0, memory.floats(workers * rowNumbers))
      }
      execution.parallelism.share(run.taskCount) { worker, task in
        run.goForward(
          task: task, into: output, narrowing: rows.map { ($0.0, $0.1 + worker * rowNumbers) })
      }
    }
    record(y, reading: [a, d]) { [self] dy in
      contribute(to: [u, dt, b, c]) { places in goBack(run, dy, into: places, a, d) }
    }
    return y
  }

  private func goBack(
    _ run: ScanRun, _ dy: UnsafeMutablePointer<Float>,
    into places: [UnsafeMutablePointer<Float>], _ a: Parameter, _ d: Parameter
  ) {
    let (square, maps) = (a.count, run.sequences * run.steps * run.states)
    nonisolated(unsafe) let gradients = ScanGradients(
      dy: dy, du: places[0], ddt: places[1], db: places[2], dc: places[3],
      moreB: memory.floats((run.blockCount - 1) * maps),
      moreC: memory.floats((run.blockCount - 1) * maps),
      states: memory.floats(run.sequences * square), da: memory.floats(run.sequences * square),
      dd: memory.floats(run.sequences * run.channels))
    execution.parallelism.share(run.taskCount) { _, task in run.goBack(task: task, gradients) }

    // What blocks of channels and sequences have found, in their order.
    execution.forChunks(of: maps) { range in
      let (start, kernels) = (range.lowerBound, run.kernels.pointee)
      for block in 0..<run.blockCount - 1 {
        let place = block * maps + start
        kernels.add(
          gradients.db + start, gradients.moreB + place, range.count, gradients.db + start)
        kernels.add(
          gradients.dc + start, gradients.moreC + place, range.count, gradients.dc + start)
      }
    }
    for sequence in 0..<run.sequences {
      execution.kernels.pointee.add(
        d.gradient, gradients.dd + sequence * run.channels, run.channels, d.gradient)
      guard sequence > 0 else { continue }
      execution.kernels.pointee.add(
        gradients.da, gradients.da + sequence * square, square, gradients.da)
    }
    guard run.sequences > 0 else { return }
    // The derivative of A = -exp(a) by a is A.
    execution.kernels.pointee.multiply(gradients.da, run.rates, square, gradients.da)
    transpose(
      gradients.da, rows: run.states, columns: run.channels, into: gradients.states, on: self)
    execution.kernels.pointee.add(a.gradient, gradients.states, square, a.gradient)
  }
}

/// Where the way back of one call writes.
private struct ScanGradients {
  let dy, du, ddt, db, dc: UnsafeMutablePointer<Float>
  /// What blocks of channels after the first add to `db` and `dc`.
  let moreB, moreC: UnsafeMutablePointer<Float>
  /// B x N x D: by the states after a chunk; by A; and B x D by the skips.
  let states, da, dd: UnsafeMutablePointer<Float>
}

/// One call of the scan; its tasks are blocks of channels of a sequence, independent of each other.
private struct ScanRun: @unchecked Sendable {
  let sequences: Int
  let steps: Int
  let channels: Int
  let states: Int
  let u, dt, b, c, skips: UnsafeMutablePointer<Float>
  /// A, as rows of channels: N x D.
  let rates: UnsafeMutablePointer<Float>
  /// The states before every chunk and after the last one: B x chunks x N x D.
  let kept: UnsafeMutablePointer<Float>
  let kernels: UnsafePointer<BKTrainingKernels>

  /// Channels of a task, which sums over channels are split by.
  static let blockSize = 128
  private static let chunk = Int(BK_SCAN_STEPS)

  static func chunkCount(_ steps: Int) -> Int { (steps + chunk - 1) / chunk }
  private var chunkCount: Int { Self.chunkCount(steps) }
  var blockCount: Int { max(1, (channels + Self.blockSize - 1) / Self.blockSize) }
  var taskCount: Int { sequences * blockCount }

  /// The channels of a block, and its first numbers in rows of a chunk's activations and maps.
  private func part(
    _ sequence: Int, _ chunk: Int, firstChannel: Int
  ) -> (shape: BKScan, rows: Int, maps: Int, states: Int) {
    let first = chunk * Self.chunk
    let shape = BKScan(
      steps: min(Self.chunk, steps - first),
      channels: min(Self.blockSize, channels - firstChannel), states: states, stride: channels,
      state_stride: states)
    let row = sequence * steps + first
    return (
      shape, row * channels + firstChannel, row * states,
      (sequence * (chunkCount + 1) + chunk) * states * channels + firstChannel
    )
  }

  /// A = -exp(a), turned.
  func setRates(_ a: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>) {
    let count = channels * states
    kernels.pointee.apply(BK_EXP, a, count, scratch)
    kernels.pointee.scale(scratch, -1, count, scratch)
    kernels.pointee.transpose(scratch, channels, states, states, rates, channels)
  }

  func goForward(
    task: Int, into y: UnsafeMutablePointer<Float>,
    narrowing: (StateNarrowing, UnsafeMutablePointer<Float>)?
  ) {
    let (sequence, first) = (task / blockCount, task % blockCount * Self.blockSize)
    for chunk in 0..<chunkCount {
      var (shape, rows, maps, place) = part(sequence, chunk, firstChannel: first)
      let before = kept + place
      let after = before + states * channels
      if chunk == 0 { clear(before, count: shape.channels) }
      kernels.pointee.scan(
        &shape, u + rows, dt + rows, rates + first, b + maps, c + maps, skips + first, before,
        after, y + rows)
      guard let (narrowing, scratch) = narrowing, chunk + 1 < chunkCount else { continue }
      kernels.pointee.transpose(after, states, shape.channels, channels, scratch, states)
      narrowing.apply(
        scratch, shape.channels, states,
        ((sequence * chunkCount + chunk) * channels + first) * states)
      kernels.pointee.transpose(scratch, shape.channels, states, states, after, channels)
    }
  }

  func goBack(task: Int, _ gradients: ScanGradients) {
    let (sequence, block) = (task / blockCount, task % blockCount)
    let first = block * Self.blockSize
    let square = sequence * states * channels + first
    let skip = sequence * channels + first
    let more = (block - 1) * sequences * steps * states
    let db = block == 0 ? gradients.db : gradients.moreB + more
    let dc = block == 0 ? gradients.dc : gradients.moreC + more
    let count = min(Self.blockSize, channels - first)
    clear(gradients.states + square, count: count)
    clear(gradients.da + square, count: count)
    (gradients.dd + skip).update(repeating: 0, count: count)
    for chunk in (0..<chunkCount).reversed() {
      var (shape, rows, maps, place) = part(sequence, chunk, firstChannel: first)
      kernels.pointee.scan_backward(
        &shape, u + rows, dt + rows, rates + first, b + maps, c + maps, skips + first,
        kept + place, gradients.dy + rows, gradients.states + square, gradients.du + rows,
        gradients.ddt + rows, gradients.da + square, db + maps, dc + maps, gradients.dd + skip)
    }
  }

  /// Zeros in N rows of some channels.
  private func clear(_ numbers: UnsafeMutablePointer<Float>, count: Int) {
    for state in 0..<states { (numbers + state * channels).update(repeating: 0, count: count) }
  }
}
