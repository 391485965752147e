/// Carries a tensor through a block format: tensor scale, then slab by slab scale, codes, packing.
///
/// The one driver behind encoding, decoding and fake quantization of every format.
struct Quantizer<Format: BlockFormat>: Sendable {
  let format: Format
  let policy: EncodingPolicy
  let axis: Int
  let grid: BlockGrid
  let parallelism: Parallelism

  init(
    format: Format, shape: [Int], axis: Int, policy: EncodingPolicy?, parallelism: Parallelism
  ) {
    let policy = policy ?? format.defaultPolicy
    precondition(
      format.scaleRules.contains(policy.scaleRule),
      """
      \(format.id) has no scale rule \(policy.scaleRule.id); \
      it has \(format.scaleRules.map(\.id).joined(separator: ", "))
      """)
    self.format = format
    self.policy = policy
    self.axis = axis
    self.parallelism = parallelism
    grid = BlockGrid(shape: shape, axis: axis, layout: format.layout)
  }

  /// The fewest slabs worth a thread.
  private var grain: Int { max(1, 65536 / max(1, grid.elementCount / max(1, grid.slabCount))) }

  // MARK: - Encoding

  func encode(
    _ values: UnsafeBufferPointer<Float>, tensorScale given: Float?
  ) -> QuantizedTensor {
    let levels = tensorLevels(values, tensorScale: given)
    var planes = QuantizedPlanes(grid: grid, layout: format.layout)
    let tally = planes.withUnsafeWriter { writer in
      if let scale = levels.blockScale { writer.storeWholeTensorScale(scale.scale) }
      return forEachSlab(values, levels) { slab, scratch in
        writer.store(scratch, of: slab)
      }
    }
    return QuantizedTensor(
      format: format, policy: policy, axis: axis, grid: grid, planes: planes,
      tensorScale: format.layout.tensorScale == .none ? nil : levels.tensorScale.decode,
      tally: tally)
  }

  func reconstruct(
    _ values: UnsafeBufferPointer<Float>, tensorScale given: Float?
  ) -> FakeQuantization {
    let levels = tensorLevels(values, tensorScale: given)
    var exactBlockCount = 0
    var tally = EncodingTally()
    let decoded = [Float](unsafeUninitializedCapacity: grid.elementCount) { output, count in
      nonisolated(unsafe) let target = output
      nonisolated(unsafe) let source = values
      let parts = parallelism.map(count: grid.slabCount, grain: grain) { slabs in
        let context = EncodingContext(
          layout: format.layout, policy: policy, tensorScale: levels.tensorScale)
        var worker = SlabWorker(format: format, grid: grid, levels: levels, context: context)
        var exact = 0
        for index in slabs {
          let slab = grid.slab(index)
          worker.encode(slab, from: source)
          exact += worker.decode(slab, into: target, comparingWith: source)
        }
        return (worker.tally, exact)
      }
      for part in parts { tally += part.0 }
      let exact = parts.reduce(0) { $0 + $1.1 }
      exactBlockCount = grid.isWholeTensorBlock ? (exact == grid.slabCount ? 1 : 0) : exact
      count = grid.elementCount
    }
    return FakeQuantization(
      tensor: Tensor(decoded, shape: grid.shape), tally: tally, blockCount: grid.blockCount,
      exactBlockCount: grid.elementCount == 0 ? 0 : exactBlockCount,
      storedByteCount: QuantizedPlanes.byteCount(grid: grid, layout: format.layout))
  }

  private func forEachSlab(
    _ values: UnsafeBufferPointer<Float>, _ levels: TensorLevels,
    _ body: @Sendable (BlockGrid.Slab, borrowing SlabScratch) -> Void
  ) -> EncodingTally {
    nonisolated(unsafe) let source = values
    let parts = parallelism.map(count: grid.slabCount, grain: grain) { slabs in
      let context = EncodingContext(
        layout: format.layout, policy: policy, tensorScale: levels.tensorScale)
      var worker = SlabWorker(format: format, grid: grid, levels: levels, context: context)
      for index in slabs {
        let slab = grid.slab(index)
        worker.encode(slab, from: source)
        body(slab, worker.scratch)
      }
      return worker.tally
    }
    return parts.reduce(into: EncodingTally()) { $0 += $1 }
  }

  // MARK: - Tensor-level scales

  /// Computes what all blocks share: the tensor scale, and the scale of a whole-tensor block.
  private func tensorLevels(
    _ values: UnsafeBufferPointer<Float>, tensorScale given: Float?
  ) -> TensorLevels {
    let hasTensorScale = format.layout.tensorScale != .none
    guard hasTensorScale || grid.isWholeTensorBlock else {
      return TensorLevels(tensorScale: TensorScale(encode: 1, decode: 1), blockScale: nil)
    }
    nonisolated(unsafe) let source = values
    let parts = parallelism.map(count: values.count, grain: 1 << 16) { range in
      ValueStatistics(UnsafeBufferPointer(rebasing: source[range]))
    }
    let statistics = parts.reduce(into: ValueStatistics()) { $0.merge($1) }
    var tensorScale = TensorScale(encode: 1, decode: 1)
    if hasTensorScale {
      tensorScale =
        given.map(TensorScale.init(decode:))
        ?? format.tensorScale(for: statistics, policy: policy)
    }
    guard grid.isWholeTensorBlock, grid.elementCount > 0 else {
      return TensorLevels(tensorScale: tensorScale, blockScale: nil)
    }
    var context = EncodingContext(
      layout: format.layout, policy: policy, tensorScale: tensorScale)
    context.indices = ElementIndices(
      base: 0, columns: values.count, rowStride: 0, columnStride: 1)
    let scratch = SlabScratch(
      codes: policy.scaleRule.triesCandidates ? values.count : 0, scales: 0, subscales: 0,
      gathers: false)
    var fields = BlockFields(
      subscales: UnsafeMutableBufferPointer(start: nil, count: 0), codes: scratch.codes)
    format.encodeScale(of: values, statistics: statistics, context: context, into: &fields)
    return TensorLevels(
      tensorScale: tensorScale,
      blockScale: .init(scale: fields.scale, encodeMultiplier: fields.encodeMultiplier))
  }

  // MARK: - Decoding

  static func decode(
    _ tensor: QuantizedTensor, format: Format, parallelism: Parallelism
  ) -> Tensor {
    let grid = tensor.grid
    let sharedScale = grid.isWholeTensorBlock ? tensor.scales.unpacked().first : nil
    let levels = TensorLevels(
      tensorScale: TensorScale(encode: 1, decode: tensor.tensorScale ?? 1),
      blockScale: sharedScale.map { .init(scale: $0, encodeMultiplier: 1) })
    let quantizer = Quantizer(
      format: format, shape: grid.shape, axis: tensor.axis, policy: tensor.policy,
      parallelism: parallelism)
    let decoded = [Float](unsafeUninitializedCapacity: grid.elementCount) { output, count in
      nonisolated(unsafe) let target = output
      _ = parallelism.map(count: grid.slabCount, grain: quantizer.grain) { slabs in
        let context = EncodingContext(
          layout: format.layout, policy: tensor.policy, tensorScale: levels.tensorScale)
        var worker = SlabWorker(format: format, grid: grid, levels: levels, context: context)
        for index in slabs {
          let slab = grid.slab(index)
          worker.load(slab, from: tensor)
          _ = worker.decode(slab, into: target, comparingWith: nil)
        }
      }
      count = grid.elementCount
    }
    return Tensor(decoded, shape: grid.shape)
  }
}

/// What all blocks of a tensor share.
struct TensorLevels: Sendable {
  var tensorScale: TensorScale
  /// The scale of a block that spans the tensor.
  var blockScale: BlockScale?

  struct BlockScale: Sendable {
    var scale: UInt32
    var encodeMultiplier: Float
  }
}
