internal import CTrainingKernels

/// The way back through a Mamba-2 scan: every chunk is computed again but for the states.
struct StateSpaceGradient: @unchecked Sendable {
  typealias Numbers = StateSpaceRun.Numbers
  typealias Chunk = StateSpaceRun.Chunk

  let run: StateSpaceRun
  let dx: Numbers
  let ddt: Numbers
  let db: Numbers
  let dc: Numbers
  /// Contributions to the derivatives by A and D: H x B x chunks.
  let da: Numbers
  let dd: Numbers

  private var heads: StateSpaceHeads { run.heads }
  private var kernels: UnsafePointer<BKTrainingKernels> { run.kernels }

  func goBack(
    _ dy: Numbers, sequence: Int, group: Int, _ worker: StateSpaceWorker
  ) {
    let (n, stride) = (heads.stateCount, heads.mapCount)
    for index in (0..<run.chunkCount).reversed() {
      let chunk = run.chunk(index, of: sequence)
      let q = chunk.count
      let (db, dc) = (run.map(db, chunk, group: group), run.map(dc, chunk, group: group))
      for row in 0..<q {
        (db + row * stride).update(repeating: 0, count: n)
        (dc + row * stride).update(repeating: 0, count: n)
      }
      worker.scoresGradient.update(repeating: 0, count: q * q)
      run.findScores(chunk, group: group, worker)
      for head in group * heads.share..<(group + 1) * heads.share {
        goBack(dy, chunk, head: head, group: group, worker)
      }
      // Of the scores C Bᵀ: dC += dS B, dB += dSᵀ C.
      run.multiplyLower(
        worker.scoresGradient, (run.map(run.b, chunk, group: group), stride), q, n,
        into: (dc, stride), adding: true)
      run.multiplyUpper(
        worker.scoresGradient, (run.map(run.c, chunk, group: group), stride), q, n,
        into: (db, stride), adding: true)
    }
  }

  /// Adds what sequences and chunks contribute, in order and in double precision.
  func addSums(decays: Numbers, passes: Numbers) {
    let count = run.sequences * run.chunkCount
    for head in 0..<heads.count {
      var (decay, pass) = (0.0, 0.0)
      for index in head * count..<(head + 1) * count {
        decay += Double(da[index])
        pass += Double(dd[index])
      }
      // A is its own derivative by A_log.
      decays[head] += Float(decay * Double(run.decays[head]))
      passes[head] += Float(pass)
    }
  }

  private func goBack(
    _ dy: Numbers, _ chunk: Chunk, head: Int, group: Int, _ worker: StateSpaceWorker
  ) {
    let (q, p) = (chunk.count, heads.size)
    run.findDecays(chunk, head: head, worker)
    run.findWeights(chunk, worker)
    let dRows = (run.channels(dy, chunk, head: head), stride: heads.channelCount)

    // Inside the chunk, with M = C Bᵀ ∘ L: dM = dY Xᵀ, dX = Mᵀ dY.
    kernels.pointee.transpose(worker.input, q, p, p, worker.turned, q)
    run.multiplyIntoLower(dRows, worker.turned, q, depth: p, into: worker.weightsGradient)
    kernels.pointee.decays_backward(
      worker.scores, worker.decays, worker.weightsGradient, q, worker.scoresGradient,
      worker.stepSums)
    run.multiplyUpper(
      worker.weights, dRows, q, p, into: (worker.inputGradient, p), adding: false)

    let carried = goBackThroughStates(dRows, chunk, head: head, group: group, worker)
    finish(dRows, chunk, head: head, carried: carried, worker)
  }

  /// Through the state that leaves the chunk, and through the one that enters it.
  ///
  /// Leaves u_s, the derivative by cs_Q - cs_s, in `endSums`, and f_l, that by cs_l, in `startSums`.
  ///
  /// - Returns: the derivative by cs_Q of what goes from state to state.
  private func goBackThroughStates(
    _ dRows: (Numbers, stride: Int), _ chunk: Chunk, head: Int, group: Int,
    _ worker: StateSpaceWorker
  ) -> Float {
    let (q, p, n, stride) = (chunk.count, heads.size, heads.stateCount, heads.mapCount)
    let (b, c) = (run.map(run.b, chunk, group: group), run.map(run.c, chunk, group: group))
    let dState = worker.stateGradients + head % heads.share * run.stateSize
    let last = worker.fromStart[q - 1]
    var carried: Float = 0

    if chunk.isLast {
      worker.endSums.update(repeating: 0, count: q)
    } else {
      // With w = exp(cs_Q - cs): dX += (w ∘ B) dHᵀ, dB += (w ∘ X) dH.
      run.scaleRows(worker.toEnd, (b, stride), q, n, into: (worker.scaledMap, n))
      kernels.pointee.transpose(dState, p, n, n, worker.turned, p)
      run.multiply(
        (worker.scaledMap, n, 1), (worker.turned, p), (q, n, p),
        into: (worker.inputGradient, p), adding: true)
      run.scaleRows(worker.toEnd, (worker.input, p), q, p, into: (worker.scaledInput, p))
      run.multiply(
        (worker.scaledInput, p, 1), (dState, n), (q, p, n), into: (worker.mapGradient, n))
      run.dotRows((b, stride), (worker.mapGradient, n), q, n, into: worker.endSums)
      addRows(worker.mapGradient, q, to: run.map(db, chunk, group: group))
    }

    guard let state = run.state(entering: chunk, head: head) else {
      worker.startSums.update(repeating: 0, count: q)
      return 0
    }
    // With e = exp(cs): dC += (e ∘ dY) H, and for the chunk before dH = exp(cs_Q) dH + (e ∘ dY)ᵀ C.
    run.scaleRows(worker.fromStart, dRows, q, p, into: (worker.scaledInput, p))
    run.multiply(
      (worker.scaledInput, p, 1), (state, n), (q, p, n), into: (worker.mapGradient, n))
    run.dotRows((c, stride), (worker.mapGradient, n), q, n, into: worker.startSums)
    addRows(worker.mapGradient, q, to: run.map(dc, chunk, group: group))
    if !chunk.isLast {
      run.dotRows((state, 0), (dState, 0), 1, run.stateSize, into: worker.rowSums)
      carried = worker.rowSums[0] * last
      kernels.pointee.scale(dState, last, run.stateSize, dState)
    }
    run.multiply(
      (worker.scaledInput, 1, p), (c, stride), (p, q, n), into: (dState, n),
      adding: !chunk.isLast)
    return carried
  }

  private func addRows(_ rows: Numbers, _ q: Int, to sums: Numbers) {
    let n = heads.stateCount
    for row in 0..<q {
      let place = sums + row * heads.mapCount
      kernels.pointee.add(place, rows + row * n, n, place)
    }
  }

  /// From X = Δ x and from the exponents Δ A to x, Δ, A and D.
  private func finish(
    _ dRows: (Numbers, stride: Int), _ chunk: Chunk, head: Int, carried: Float,
    _ worker: StateSpaceWorker
  ) {
    let (q, p, stride) = (chunk.count, heads.size, heads.channelCount)
    let x = (run.channels(run.x, chunk, head: head), stride: stride)
    let place = (run.channels(dx, chunk, head: head), stride: stride)
    run.scaleRows(worker.dt, (worker.inputGradient, p), q, p, into: place)
    worker.pass.update(repeating: run.d[head], count: q)
    run.scaleRows(worker.pass, dRows, q, p, into: place, adding: true)

    let sumIndex =
      (head * run.sequences + chunk.sequence) * run.chunkCount + chunk.index
    run.dotRows(dRows, x, q, p, into: worker.rowSums)
    dd[sumIndex] = Float((0..<q).reduce(0.0) { $0 + Double(worker.rowSums[$1]) })

    // The exponent of step i is in cs_l for l ≥ i, and in cs_Q - cs_s for s < i.
    run.dotRows((worker.inputGradient, p), x, q, p, into: worker.rowSums)
    var before = (0..<q).reduce(0.0) { $0 + Double(worker.endSums[$1]) }
    var (after, sum) = (0.0, 0.0)
    let a = Double(run.decays[head])
    for i in (0..<q).reversed() {
      after += Double(worker.startSums[i])
      before -= Double(worker.endSums[i])
      let exponent = Double(worker.stepSums[i]) + before + after + Double(carried)
      ddt[(chunk.first + i) * heads.count + head] =
        Float(Double(worker.rowSums[i]) + a * exponent)
      sum += Double(worker.dt[i]) * exponent
    }
    da[sumIndex] = Float(sum)
  }
}
