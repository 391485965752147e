import BlockFormats
internal import CTrainingKernels
import CallerChecks
import QuantizedLinearAlgebra

/// The heads of an attention layer.
///
/// Letters: B sequences, T steps, H query heads, G heads of keys and values that H / G query heads
/// share each, D numbers of a head.
public struct AttentionHeads: Hashable, Sendable {
  /// H.
  public let queries: Int
  /// G, a divisor of H.
  public let keys: Int
  /// D.
  public let size: Int

  /// - Precondition: positive, and G divides H.
  public init(queries: Int, keys: Int, size: Int) {
    require(
      queries > 0 && keys > 0 && size > 0 && queries % keys == 0,
      "\(queries) query heads and \(keys) key heads of \(size) numbers")
    (self.queries, self.keys, self.size) = (queries, keys, size)
  }

  /// The numbers of a row that holds queries, keys and values.
  public var inputCount: Int { (queries + 2 * keys) * size }
  /// The numbers of a result's row.
  public var outputCount: Int { queries * size }
}

extension Tape {
  /// Causal attention: y[t] = Σ_{s ≤ t} softmax_s(q[t] · k[s] / √D) v[s], head by head.
  ///
  /// x: B x T x (H + 2G) D, rows of queries, keys and values; y: B x T x H D. Products are FP32
  /// chains in order of the contracted axis.
  ///
  /// Sources: Vaswani et al., arXiv 1706.03762; Ainslie et al., arXiv 2305.13245 (shared heads).
  public func causalAttention(_ x: Activation, heads: AttentionHeads) -> Activation {
    require(
      x.shape.count == 3 && x.columnCount == heads.inputCount,
      "an input of shape \(x.shape) for rows of \(heads.inputCount) numbers")
    let (b, t) = (x.shape[0], x.shape[1])
    let y = activation([b, t, heads.outputCount])
    let run = AttentionRun(
      heads: heads, steps: t, input: x.values, output: y.values,
      weights: memory.floats(b * heads.queries * t * t), kernels: execution.kernels)
    let workers = attentionWorkers(b * heads.keys, heads: heads, steps: t)
    execution.parallelism.share(b * heads.keys) { worker, item in
      run.goForward(sequence: item / heads.keys, key: item % heads.keys, workers[worker])
    }
    record(y) { [self] dy in
      contribute(to: x) { dx in
        nonisolated(unsafe) let (dx, dy) = (dx, dy)
        execution.parallelism.share(b * heads.keys) { worker, item in
          run.goBack(
            dy, into: dx, sequence: item / heads.keys, key: item % heads.keys, workers[worker])
        }
      }
    }
    return y
  }

  private func attentionWorkers(
    _ items: Int, heads: AttentionHeads, steps: Int
  ) -> [AttentionWorker] {
    let count = execution.parallelism.workerCount(forItems: items)
    return execution.scratch { (kept: [AttentionWorker]) in
      kept.count >= count && kept[0].fits(steps: steps, size: heads.size)
    } orMake: {
      (0..<count).map { _ in AttentionWorker(steps: steps, size: heads.size) }
    }
  }
}

/// Memory of a worker: operands of the small products of a head.
final class AttentionWorker: @unchecked Sendable {
  /// T rows of D numbers, and D rows of T.
  let tall: PreparedMatrix.Builder
  let wide: PreparedMatrix.Builder
  /// T x T.
  let square: UnsafeMutablePointer<Float>
  let derivative: UnsafeMutablePointer<Float>
  /// D x T.
  let turned: UnsafeMutablePointer<Float>
  let workspace = ProductWorkspace()
  private let steps: Int
  private let size: Int

  init(steps: Int, size: Int) {
    (self.steps, self.size) = (steps, size)
    do throws(ProductError) {
      tall = try PreparedMatrix.Builder(rowCount: steps, depth: size, as: .float32, for: .float32)
      wide = try PreparedMatrix.Builder(rowCount: size, depth: steps, as: .float32, for: .float32)
    } catch {
      refuse(error.description)
    }
    square = .allocate(capacity: steps * steps)
    derivative = .allocate(capacity: steps * steps)
    turned = .allocate(capacity: steps * size)
  }

  deinit {
    square.deallocate()
    derivative.deallocate()
    turned.deallocate()
  }

  func fits(steps: Int, size: Int) -> Bool { self.steps == steps && self.size == size }
}

/// One call of attention; its heads are independent of each other.
private struct AttentionRun: @unchecked Sendable {
  let heads: AttentionHeads
  let steps: Int
  let input: UnsafeMutablePointer<Float>
  let output: UnsafeMutablePointer<Float>
  /// The attention weights P: B x H x T x T.
  let weights: UnsafeMutablePointer<Float>
  let kernels: UnsafePointer<BKTrainingKernels>

  private var scale: Float { 1 / Float(heads.size).squareRoot() }
  private var square: Int { steps * steps }
  private var shape: BKRowShape { BKRowShape(rows: steps, columns: steps, stride: steps) }

  /// A head's rows inside rows of queries, keys and values.
  private func part(
    _ rows: UnsafeMutablePointer<Float>, sequence: Int, head: Int
  ) -> MatrixRows {
    MatrixRows(
      rows + sequence * steps * heads.inputCount + head * heads.size, rowCount: steps,
      columnCount: heads.size, stride: heads.inputCount)
  }

  private func mutablePart(
    _ rows: UnsafeMutablePointer<Float>, sequence: Int, head: Int
  ) -> MutableMatrixRows {
    MutableMatrixRows(
      rows + sequence * steps * heads.inputCount + head * heads.size, rowCount: steps,
      columnCount: heads.size, stride: heads.inputCount)
  }

  /// A query head's rows of a result.
  private func result(
    _ rows: UnsafeMutablePointer<Float>, sequence: Int, head: Int
  ) -> UnsafeMutablePointer<Float> {
    rows + sequence * steps * heads.outputCount + head * heads.size
  }

  private func weights(sequence: Int, head: Int) -> UnsafeMutablePointer<Float> {
    weights + (sequence * heads.queries + head) * square
  }

  /// `rows` transposed, as the right operand of a product that contracts steps.
  private func turn(_ rows: UnsafeRawPointer, stride: Int, _ worker: AttentionWorker) {
    kernels.pointee.transpose(
      rows.assumingMemoryBound(to: Float.self), steps, heads.size, stride, worker.turned, steps)
    worker.wide.update(
      MatrixRows(worker.turned, rowCount: heads.size, columnCount: steps),
      parallelism: .threads(1))
  }

  private func multiply(
    _ left: MatrixRows, _ right: PreparedMatrix.Builder, into target: MutableMatrixRows,
    adding: Bool = false, _ worker: AttentionWorker
  ) {
    right.matrix.multiply(
      left, into: target, epilogue: ProductEpilogue(beta: adding ? 1 : 0),
      parallelism: .threads(1), workspace: worker.workspace)
  }

  private func squareRows(_ numbers: UnsafeMutablePointer<Float>) -> MatrixRows {
    MatrixRows(numbers, rowCount: steps, columnCount: steps)
  }

  private func mutableSquare(_ numbers: UnsafeMutablePointer<Float>) -> MutableMatrixRows {
    MutableMatrixRows(numbers, rowCount: steps, columnCount: steps)
  }

  func goForward(sequence: Int, key: Int, _ worker: AttentionWorker) {
    let group = heads.queries / heads.keys
    // P = softmax(Q Kᵀ / √D)
    worker.tall.update(
      part(input, sequence: sequence, head: heads.queries + key), parallelism: .threads(1))
    for head in key * group..<(key + 1) * group {
      let p = weights(sequence: sequence, head: head)
      multiply(
        part(input, sequence: sequence, head: head), worker.tall, into: mutableSquare(p), worker)
      var shape = shape
      kernels.pointee.softmax(&shape, 1, 1, scale, p, p)
    }
    // Y = P V
    let values = part(input, sequence: sequence, head: heads.queries + heads.keys + key)
    turn(values.base, stride: values.stride, worker)
    for head in key * group..<(key + 1) * group {
      multiply(
        squareRows(weights(sequence: sequence, head: head)), worker.wide,
        into: MutableMatrixRows(
          result(output, sequence: sequence, head: head), rowCount: steps,
          columnCount: heads.size, stride: heads.outputCount), worker)
    }
  }

  func goBack(
    _ dy: UnsafeMutablePointer<Float>, into dx: UnsafeMutablePointer<Float>, sequence: Int,
    key: Int, _ worker: AttentionWorker
  ) {
    let group = heads.queries / heads.keys
    let (keyHead, valueHead) = (heads.queries + key, heads.queries + heads.keys + key)
    for head in key * group..<(key + 1) * group {
      let isFirst = head == key * group
      let p = weights(sequence: sequence, head: head)
      let dOutput = result(dy, sequence: sequence, head: head)
      let dRows = MatrixRows(
        dOutput, rowCount: steps, columnCount: heads.size, stride: heads.outputCount)

      // dV = Pᵀ dY
      kernels.pointee.transpose(p, steps, steps, steps, worker.square, steps)
      turn(UnsafeRawPointer(dOutput), stride: heads.outputCount, worker)
      multiply(
        squareRows(worker.square), worker.wide,
        into: mutablePart(dx, sequence: sequence, head: valueHead), adding: !isFirst, worker)

      // dP = dY Vᵀ, dS = softmax's derivative
      worker.tall.update(
        part(input, sequence: sequence, head: valueHead), parallelism: .threads(1))
      multiply(dRows, worker.tall, into: mutableSquare(worker.derivative), worker)
      var shape = shape
      kernels.pointee.softmax_backward(
        &shape, 1, 1, scale, p, worker.derivative, worker.derivative)

      // dQ = dS K
      let keys = part(input, sequence: sequence, head: keyHead)
      turn(keys.base, stride: keys.stride, worker)
      multiply(
        squareRows(worker.derivative), worker.wide,
        into: mutablePart(dx, sequence: sequence, head: head), worker)

      // dK = dSᵀ Q
      kernels.pointee.transpose(worker.derivative, steps, steps, steps, worker.square, steps)
      let queries = part(input, sequence: sequence, head: head)
      turn(queries.base, stride: queries.stride, worker)
      multiply(
        squareRows(worker.square), worker.wide,
        into: mutablePart(dx, sequence: sequence, head: keyHead), adding: !isFirst, worker)
    }
  }
}
