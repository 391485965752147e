internal import CTrainingKernels

/// One pass of a Mamba-2 scan; its sequences and groups are independent of each other.
struct StateSpaceRun: @unchecked Sendable {
  typealias Numbers = UnsafeMutablePointer<Float>

  let heads: StateSpaceHeads
  let sequences: Int
  let steps: Int
  let x: Numbers
  let dt: Numbers
  let b: Numbers
  let c: Numbers
  let d: Numbers
  /// A: H.
  let decays: Numbers
  /// The states that leave every chunk but the last: B x (chunks - 1) x H x P x N.
  let states: Numbers
  let kernels: UnsafePointer<BKTrainingKernels>

  var chunkCount: Int { Self.chunkCount(steps: steps) }
  /// Numbers of a head's state.
  var stateSize: Int { heads.size * heads.stateCount }

  static func chunkCount(steps: Int) -> Int {
    (steps + StateSpaceHeads.chunk - 1) / StateSpaceHeads.chunk
  }

  static func stateCount(_ heads: StateSpaceHeads, sequences: Int, steps: Int) -> Int {
    sequences * max(chunkCount(steps: steps) - 1, 0) * heads.channelCount * heads.stateCount
  }

  /// A chunk of steps of a sequence.
  struct Chunk {
    let index: Int
    /// Its first step among those of all sequences.
    let first: Int
    let count: Int
    let isLast: Bool
    let sequence: Int
  }

  func chunk(_ index: Int, of sequence: Int) -> Chunk {
    let start = index * StateSpaceHeads.chunk
    return Chunk(
      index: index, first: sequence * steps + start,
      count: min(StateSpaceHeads.chunk, steps - start), isLast: index == chunkCount - 1,
      sequence: sequence)
  }

  /// The first number of the state that leaves a chunk.
  func stateIndex(leaving chunk: Int, sequence: Int, head: Int) -> Int {
    ((sequence * (chunkCount - 1) + chunk) * heads.count + head) * stateSize
  }

  /// The state of a head that enters a chunk; `nil` for the first one's, which is zero.
  func state(entering chunk: Chunk, head: Int) -> Numbers? {
    chunk.index == 0
      ? nil
      : states + stateIndex(leaving: chunk.index - 1, sequence: chunk.sequence, head: head)
  }

  /// The rows of a head's channels in a matrix like x.
  func channels(_ rows: Numbers, _ chunk: Chunk, head: Int) -> Numbers {
    rows + chunk.first * heads.channelCount + head * heads.size
  }

  /// The rows of a group's map in a matrix like B.
  func map(_ rows: Numbers, _ chunk: Chunk, group: Int) -> Numbers {
    rows + chunk.first * heads.mapCount + group * heads.stateCount
  }

  // MARK: - Parts of a chunk

  /// Products below this have no decay left in FP32: exp(-128) rounds to zero, and so does every
  /// decay over a step that is this strong.
  private static let strongest = -128.0

  /// C Bᵀ of a group.
  func findScores(_ chunk: Chunk, group: Int, _ worker: StateSpaceWorker) {
    let (q, n, stride) = (chunk.count, heads.stateCount, heads.mapCount)
    kernels.pointee.transpose(map(b, chunk, group: group), q, n, stride, worker.turned, q)
    multiply(
      (map(c, chunk, group: group), stride, 1), (worker.turned, q), (q, n, q),
      into: (worker.scores, q))
  }

  /// Δ, cs, L and its last row, exp(cs), and X.
  func findDecays(_ chunk: Chunk, head: Int, _ worker: StateSpaceWorker) {
    let q = chunk.count
    let a = Double(decays[head])
    var sum = 0.0
    for l in 0..<q {
      let dt = dt[(chunk.first + l) * heads.count + head]
      let exponent = a * Double(dt)
      sum += exponent < Self.strongest ? Self.strongest : exponent
      worker.dt[l] = dt
      worker.sums[l] = Float(sum)
      worker.rests[l] = Float(sum - Double(Float(sum)))
    }
    kernels.pointee.decays(worker.sums, worker.rests, q, worker.decays)
    worker.toEnd.update(from: worker.decays + (q - 1) * q, count: q)
    kernels.pointee.apply(BK_EXP, worker.sums, q, worker.fromStart)
    scaleRows(
      worker.dt, (channels(x, chunk, head: head), heads.channelCount), q, heads.size,
      into: (worker.input, heads.size))
  }

  /// (C Bᵀ) ∘ L.
  func findWeights(_ chunk: Chunk, _ worker: StateSpaceWorker) {
    kernels.pointee.multiply(
      worker.scores, worker.decays, chunk.count * chunk.count, worker.weights)
  }

  // MARK: - Kernels

  func scaleRows(
    _ factors: Numbers, _ x: (Numbers, stride: Int), _ rows: Int, _ columns: Int,
    into y: (Numbers, stride: Int), adding: Bool = false
  ) {
    var shape = BKRowPair(
      rows: rows, columns: columns, x_stride: x.stride, y_stride: y.stride)
    kernels.pointee.scale_rows(&shape, factors, x.0, adding, y.0)
  }

  func dotRows(
    _ x: (Numbers, stride: Int), _ y: (Numbers, stride: Int), _ rows: Int, _ columns: Int,
    into sums: Numbers
  ) {
    var shape = BKRowPair(
      rows: rows, columns: columns, x_stride: x.stride, y_stride: y.stride)
    kernels.pointee.dot_rows(&shape, x.0, y.0, sums)
  }

  /// Rows x depth times depth x columns.
  func multiply(
    _ a: (Numbers, row: Int, step: Int), _ b: (Numbers, stride: Int),
    _ extents: (rows: Int, depth: Int, columns: Int), into y: (Numbers, stride: Int),
    adding: Bool = false
  ) {
    var shape = BKProduct(
      rows: extents.rows, columns: extents.columns, depth: extents.depth, a_row: a.row,
      a_step: a.step, b_stride: b.stride, y_stride: y.stride)
    kernels.pointee.product(&shape, a.0, b.0, adding, y.0)
  }

  /// Rows of products with a matrix that is zero above its diagonal: those above it are left out,
  /// but for those of the same band of rows.
  private static let band = 16

  /// A triangular Q x Q matrix times Q x columns.
  func multiplyLower(
    _ a: Numbers, _ b: (Numbers, stride: Int), _ q: Int, _ columns: Int,
    into y: (Numbers, stride: Int), adding: Bool
  ) {
    for first in stride(from: 0, to: q, by: Self.band) {
      let end = min(first + Self.band, q)
      multiply(
        (a + first * q, q, 1), b, (end - first, end, columns),
        into: (y.0 + first * y.stride, y.stride), adding: adding)
    }
  }

  /// The transpose of a triangular Q x Q matrix times Q x columns.
  func multiplyUpper(
    _ a: Numbers, _ b: (Numbers, stride: Int), _ q: Int, _ columns: Int,
    into y: (Numbers, stride: Int), adding: Bool
  ) {
    for first in stride(from: 0, to: q, by: Self.band) {
      multiply(
        (a + first * q + first, 1, q), (b.0 + first * b.stride, b.stride),
        (min(Self.band, q - first), q - first, columns),
        into: (y.0 + first * y.stride, y.stride), adding: adding)
    }
  }

  /// What lies on and below the diagonal of a product Q x Q, and the rest of its bands.
  func multiplyIntoLower(
    _ a: (Numbers, stride: Int), _ b: Numbers, _ q: Int, depth: Int, into y: Numbers
  ) {
    for first in stride(from: 0, to: q, by: Self.band) {
      let end = min(first + Self.band, q)
      multiply(
        (a.0 + first * a.stride, a.stride, 1), (b, q), (end - first, depth, end),
        into: (y + first * q, q))
    }
  }
}

// MARK: - Forward

extension StateSpaceRun {
  func goForward(
    into y: Numbers, sequence: Int, group: Int, _ narrowState: StateNarrowing?,
    _ worker: StateSpaceWorker
  ) {
    for index in 0..<chunkCount {
      let chunk = chunk(index, of: sequence)
      findScores(chunk, group: group, worker)
      for head in group * heads.share..<(group + 1) * heads.share {
        findDecays(chunk, head: head, worker)
        findWeights(chunk, worker)
        findOutput(y, chunk, head: head, group: group, worker)
        if !chunk.isLast {
          findState(chunk, head: head, group: group, narrowState, worker)
        }
      }
    }
  }

  private func findOutput(
    _ y: Numbers, _ chunk: Chunk, head: Int, group: Int, _ worker: StateSpaceWorker
  ) {
    let (q, p, n) = (chunk.count, heads.size, heads.stateCount)
    let place = (channels(y, chunk, head: head), heads.channelCount)
    // D x + (C Bᵀ ∘ L) X
    worker.pass.update(repeating: d[head], count: q)
    scaleRows(
      worker.pass, (channels(x, chunk, head: head), heads.channelCount), q, p, into: place)
    multiplyLower(worker.weights, (worker.input, p), q, p, into: place, adding: true)
    guard let state = state(entering: chunk, head: head) else { return }
    // (exp(cs) ∘ C) Hᵀ
    scaleRows(
      worker.fromStart, (map(c, chunk, group: group), heads.mapCount), q, n,
      into: (worker.scaledMap, n))
    kernels.pointee.transpose(state, p, n, n, worker.turned, p)
    multiply(
      (worker.scaledMap, n, 1), (worker.turned, p), (q, n, p), into: place, adding: true)
  }

  private func findState(
    _ chunk: Chunk, head: Int, group: Int, _ narrowState: StateNarrowing?,
    _ worker: StateSpaceWorker
  ) {
    let (q, p, n) = (chunk.count, heads.size, heads.stateCount)
    let index = stateIndex(leaving: chunk.index, sequence: chunk.sequence, head: head)
    let before = state(entering: chunk, head: head)
    let place = states + index
    if let before {
      kernels.pointee.scale(before, worker.fromStart[q - 1], stateSize, place)
    }
    scaleRows(worker.toEnd, (worker.input, p), q, p, into: (worker.scaledInput, p))
    multiply(
      (worker.scaledInput, 1, p), (map(b, chunk, group: group), heads.mapCount), (p, q, n),
      into: (place, n), adding: before != nil)
    narrowState?.apply(place, p, n, index)
  }
}
