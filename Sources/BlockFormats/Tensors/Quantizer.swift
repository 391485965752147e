import CallerChecks

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
    format: Format, shape: [Int], axis: Int, policy: EncodingPolicy?, parallelism: Parallelism,
    kernels: KernelSelection = .best
  ) {
    let policy = policy ?? format.defaultPolicy
    require(
      format.scaleRules.contains(policy.scaleRule),
      """
      \(format.id) has no scale rule \(policy.scaleRule.id); \
      it has \(format.scaleRules.map(\.id).joined(separator: ", "))
      """)
    self.format = format
    self.policy = policy
    self.parallelism = parallelism
    self.axis = BlockGrid.normalized(axis: axis, rank: shape.count)
    grid = BlockGrid(shape: shape, axis: axis, layout: format.layout)
  }

  /// A tensor of zero codes.
  func makeStorage() -> QuantizedTensor {
    QuantizedTensor(
      format: format, policy: policy, axis: axis, grid: grid,
      planes: QuantizedPlanes(grid: grid, layout: format.layout),
      tensorScale: format.layout.tensorScale == .absent ? nil : 1, tally: EncodingTally())
  }

  /// Encodes and packs into storage of this format and shape.
  func encode(
    _ values: UnsafeRawBufferPointer, as type: ScalarType, tensorScale given: Float?,
    into storage: inout QuantizedTensor
  ) {
    withFloats(values, type) { encode($0, tensorScale: given, into: &storage) }
  }

  /// Encodes and decodes without packing; `result` may be the memory of `values`.
  func reconstruct(
    _ values: UnsafeRawBufferPointer, into result: UnsafeMutableRawBufferPointer,
    as type: ScalarType, tensorScale given: Float?
  ) -> Reconstruction {
    withFloats(values, type) { values in
      withFloatResult(result, type, sharing: values) {
        reconstruct(values, tensorScale: given, into: $0)
      }
    }
  }

  /// Unpacks and decodes.
  func decode(
    _ tensor: QuantizedTensor, into result: UnsafeMutableRawBufferPointer, as type: ScalarType
  ) {
    withFloatResult(result, type, sharing: nil) { decode(tensor, into: $0) }
  }

  // MARK: - The reference path

  private func encode(
    _ values: UnsafeBufferPointer<Float>, tensorScale given: Float?,
    into storage: inout QuantizedTensor
  ) {
    nonisolated(unsafe) let values = values
    let levels = tensorLevels(values, tensorScale: given)
    storage.tally = storage.withUnsafeWriter { writer in
      if let scale = levels.blockScale { writer.storeWholeTensorScale(scale.scale) }
      let parts = forSlabs { slabs in
        var encoder = SlabEncoder(format: format, grid: grid, policy: policy, levels: levels)
        let scratch = SlabScratch(grid)
        for index in slabs {
          let slab = grid.slab(index)
          encoder.encode(slab, of: values, into: scratch)
          writer.store(scratch, of: slab)
        }
        return encoder.tally
      }
      return parts.reduce(into: EncodingTally()) { $0 += $1 }
    }
    storage.policy = policy
    storage.tensorScale =
      format.layout.tensorScale == .absent ? nil : levels.tensorScale.decode
  }

  private func reconstruct(
    _ values: UnsafeBufferPointer<Float>, tensorScale given: Float?,
    into result: UnsafeMutableBufferPointer<Float>
  ) -> Reconstruction {
    nonisolated(unsafe) let values = values
    nonisolated(unsafe) let result = result
    let levels = tensorLevels(values, tensorScale: given)
    let parts = forSlabs { slabs in
      var encoder = SlabEncoder(format: format, grid: grid, policy: policy, levels: levels)
      let decoder = SlabDecoder(format: format, grid: grid, levels: levels)
      let scratch = SlabScratch(grid)
      var exact = 0
      for index in slabs {
        let slab = grid.slab(index)
        encoder.encode(slab, of: values, into: scratch)
        decoder.decode(slab, from: scratch, into: result)
        exact += decoder.exactBlockCount(of: slab, decoded: result, original: values)
      }
      return Reconstruction(tally: encoder.tally, exactBlockCount: exact)
    }
    var total = parts.reduce(into: Reconstruction()) { $0 += $1 }
    if grid.isWholeTensorBlock {
      // Each slab counted as a block; the tensor is exact if all of them are.
      total.exactBlockCount =
        grid.elementCount > 0 && total.exactBlockCount == grid.slabCount ? 1 : 0
    }
    return total
  }

  private func decode(_ tensor: QuantizedTensor, into result: UnsafeMutableBufferPointer<Float>) {
    let shared = grid.isWholeTensorBlock ? tensor.scales.unpacked().first : nil
    let levels = TensorLevels(
      tensorScale: TensorScale(encode: 1, decode: tensor.tensorScale ?? 1),
      blockScale: shared.map { .init(scale: $0, encodeMultiplier: 1) })
    nonisolated(unsafe) let result = result
    _ = forSlabs { slabs in
      let decoder = SlabDecoder(format: format, grid: grid, levels: levels)
      let scratch = SlabScratch(grid)
      for index in slabs {
        let slab = grid.slab(index)
        tensor.load(slab, into: scratch)
        decoder.decode(slab, from: scratch, into: result)
      }
    }
  }

  /// Runs `body` over ranges of slabs, on several threads if the tensor is large.
  private func forSlabs<Part: Sendable>(_ body: @Sendable (Range<Int>) -> Part) -> [Part] {
    let slabCount = grid.slabCount
    let elementsPerSlab = max(1, grid.elementCount / max(1, slabCount))
    return parallelism.map(count: slabCount, grain: max(1, 65536 / elementsPerSlab), body)
  }

  /// Computes what all blocks share: the tensor scale, and the scale of a whole-tensor block.
  private func tensorLevels(
    _ values: UnsafeBufferPointer<Float>, tensorScale given: Float?
  ) -> TensorLevels {
    if let given {
      require(
        TensorScale.isValid(decode: given),
        "tensor scale \(given) is not a positive number with a finite reciprocal")
    }
    var levels = TensorLevels(tensorScale: TensorScale(encode: 1, decode: 1), blockScale: nil)
    let hasTensorScale = format.layout.tensorScale != .absent
    guard hasTensorScale || grid.isWholeTensorBlock else { return levels }

    nonisolated(unsafe) let values = values
    let statistics = parallelism.map(count: values.count, grain: 1 << 16) { range in
      ValueStatistics(UnsafeBufferPointer(rebasing: values[range]))
    }
    .reduce(into: ValueStatistics()) { $0.merge($1) }
    if hasTensorScale {
      let own = format.tensorScale(for: statistics, policy: policy)
      // A given scale does not bring back a tensor that its own scale makes NaN.
      levels.tensorScale = own.encode.isNaN ? own : given.map(TensorScale.init(decode:)) ?? own
    }
    if grid.isWholeTensorBlock && grid.elementCount > 0 {
      levels.blockScale = wholeTensorScale(values, statistics, levels.tensorScale)
    }
    return levels
  }

  private func wholeTensorScale(
    _ values: UnsafeBufferPointer<Float>, _ statistics: ValueStatistics, _ scale: TensorScale
  ) -> TensorLevels.BlockScale {
    var context = EncodingContext(layout: format.layout, policy: policy, tensorScale: scale)
    context.indices = ElementIndices(base: 0, BlockGrid.Region(offset: 0, columns: values.count))
    // Only a rule that tries candidates writes codes.
    let codeCount = policy.scaleRule.triesCandidates ? values.count : 0
    return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: codeCount) { codes in
      codes.initialize(repeating: 0)
      var fields = BlockFields(
        subscales: UnsafeMutableBufferPointer(start: nil, count: 0), codes: codes)
      format.encodeScale(of: values, statistics: statistics, context: context, into: &fields)
      return .init(scale: fields.scale, encodeMultiplier: fields.encodeMultiplier)
    }
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

/// What happened while a tensor was encoded and decoded.
struct Reconstruction: Sendable {
  var tally = EncodingTally()
  var exactBlockCount = 0

  static func += (total: inout Reconstruction, part: Reconstruction) {
    total.tally += part.tally
    total.exactBlockCount += part.exactBlockCount
  }
}
