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
    format: Format, shape: [Int], axis: Int, policy: EncodingPolicy?, parallelism: Parallelism
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
    self.axis = axis
    self.parallelism = parallelism
    grid = BlockGrid(shape: shape, axis: axis, layout: format.layout)
  }

  /// Encodes and packs.
  func encode(
    _ values: UnsafeBufferPointer<Float>, tensorScale given: Float?
  ) -> QuantizedTensor {
    nonisolated(unsafe) let values = values
    let levels = tensorLevels(values, tensorScale: given)
    var planes = QuantizedPlanes(grid: grid, layout: format.layout)
    let tally = planes.withUnsafeWriter { writer in
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
    return QuantizedTensor(
      format: format, policy: policy, axis: axis, grid: grid, planes: planes,
      tensorScale: format.layout.tensorScale == .absent ? nil : levels.tensorScale.decode,
      tally: tally)
  }

  /// Encodes and decodes slab by slab, without packing.
  func reconstruct(
    _ values: UnsafeBufferPointer<Float>, tensorScale given: Float?
  ) -> FakeQuantization {
    nonisolated(unsafe) let values = values
    let levels = tensorLevels(values, tensorScale: given)
    var tally = EncodingTally()
    var exactBlockCount = 0
    let decoded = [Float](unsafeUninitializedCapacity: grid.elementCount) { output, count in
      nonisolated(unsafe) let output = output
      let parts = forSlabs { slabs in
        var encoder = SlabEncoder(format: format, grid: grid, policy: policy, levels: levels)
        let decoder = SlabDecoder(format: format, grid: grid, levels: levels)
        let scratch = SlabScratch(grid)
        var exact = 0
        for index in slabs {
          let slab = grid.slab(index)
          encoder.encode(slab, of: values, into: scratch)
          decoder.decode(slab, from: scratch, into: output)
          exact += decoder.exactBlockCount(of: slab, decoded: output, original: values)
        }
        return (tally: encoder.tally, exact: exact)
      }
      for part in parts {
        tally += part.tally
        exactBlockCount += part.exact
      }
      count = grid.elementCount
    }
    if grid.isWholeTensorBlock {
      // Each slab counted as a block; the tensor is exact if all of them are.
      exactBlockCount = grid.elementCount > 0 && exactBlockCount == grid.slabCount ? 1 : 0
    }
    return FakeQuantization(
      tensor: Tensor(decoded, shape: grid.shape), tally: tally, blockCount: grid.blockCount,
      exactBlockCount: exactBlockCount,
      storedByteCount: QuantizedPlanes.byteCount(grid: grid, layout: format.layout))
  }

  /// Unpacks and decodes.
  func decode(_ tensor: QuantizedTensor) -> Tensor {
    let shared = grid.isWholeTensorBlock ? tensor.scales.unpacked().first : nil
    let levels = TensorLevels(
      tensorScale: TensorScale(encode: 1, decode: tensor.tensorScale ?? 1),
      blockScale: shared.map { .init(scale: $0, encodeMultiplier: 1) })
    let decoded = [Float](unsafeUninitializedCapacity: grid.elementCount) { output, count in
      nonisolated(unsafe) let output = output
      _ = forSlabs { slabs in
        let decoder = SlabDecoder(format: format, grid: grid, levels: levels)
        let scratch = SlabScratch(grid)
        for index in slabs {
          let slab = grid.slab(index)
          tensor.load(slab, into: scratch)
          decoder.decode(slab, from: scratch, into: output)
        }
      }
      count = grid.elementCount
    }
    return Tensor(decoded, shape: grid.shape)
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
