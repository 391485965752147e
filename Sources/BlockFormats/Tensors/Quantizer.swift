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
  /// What kernels need; `nil` where the reference runs.
  let plan: KernelPlan?
  private let kernels: KernelSelection

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
    require(
      format.follows(.rounding) || policy.rounding == format.defaultPolicy.rounding,
      "\(format.id) follows no rounding but its own, not \(policy.rounding.id)")
    self.format = format
    self.policy = policy
    self.parallelism = parallelism
    self.axis = BlockGrid.normalized(axis: axis, rank: shape.count)
    let grid = BlockGrid(shape: shape, axis: axis, layout: format.layout)
    self.grid = grid
    self.kernels = kernels
    plan = kernels.kernels.flatMap {
      KernelPlan(format: format, policy: policy, grid: grid, kernels: $0)
    }
  }

  /// A tensor of zero codes.
  func makeStorage() -> QuantizedTensor {
    var storage = QuantizedTensor(
      format: format, policy: policy, axis: axis, grid: grid,
      planes: StorageLayout(of: format.layout, over: grid).zeros, tally: EncodingTally())
    storage.tensorScale = 1
    return storage
  }

  /// Encodes and packs into storage of this format and shape.
  func encode(
    _ values: UnsafeRawBufferPointer, as type: ScalarType, tensorScale given: Float?,
    into storage: inout QuantizedTensor
  ) {
    encode(
      values, as: type, tensorLevels(values, as: type, tensorScale: given), into: &storage)
  }

  /// Encodes and packs with levels that are known.
  func encode(
    _ values: UnsafeRawBufferPointer, as type: ScalarType, _ levels: TensorLevels,
    into storage: inout QuantizedTensor
  ) {
    storage.policy = policy
    storage.tensorScale = levels.tensorScale.decode
    storage.tensorNumber = levels.number
    if let block = levels.block { storage.store(block) }
    if let plan, levels.areUsable {
      storage.tally = storage.withMutableKernelPlanes(plan.layout) {
        encode(PanelInput(values, type), plan, levels, into: $0)
      }
    } else {
      storage.tally = withFloats(values, type) { values in
        storage.withUnsafeMutablePlanes { encode(values, levels, into: $0) }
      }
    }
  }

  /// Encodes and decodes without packing; `result` may be the memory of `values`.
  func reconstruct(
    _ values: UnsafeRawBufferPointer, into result: UnsafeMutableRawBufferPointer,
    as type: ScalarType, tensorScale given: Float?, exactBlocks: ExactBlockCounting
  ) -> Reconstruction {
    reconstruct(
      values, into: result, as: type, tensorLevels(values, as: type, tensorScale: given),
      exactBlocks: exactBlocks)
  }

  /// Encodes and decodes with levels that are known.
  func reconstruct(
    _ values: UnsafeRawBufferPointer, into result: UnsafeMutableRawBufferPointer,
    as type: ScalarType, _ levels: TensorLevels, exactBlocks: ExactBlockCounting
  ) -> Reconstruction {
    var total: Reconstruction
    var parts: Int
    if let plan, levels.areUsable {
      parts = plan.grid.count
      total = reconstruct(
        PanelInput(values, type), plan, levels, into: PanelOutput(result, type), exactBlocks)
    } else {
      parts = grid.slabCount
      total = withFloats(values, type) { values in
        withFloatResult(result, type, sharing: values) { reconstruct(values, levels, into: $0) }
      }
    }
    if grid.isWholeTensorBlock {
      // Each part counted as a block; the tensor is exact if all of them are.
      total.exactBlockCount = grid.elementCount > 0 && total.exactBlockCount == parts ? 1 : 0
    }
    return total
  }

  /// Unpacks and decodes.
  func decode(
    _ tensor: QuantizedTensor, into result: UnsafeMutableRawBufferPointer, as type: ScalarType
  ) {
    var levels = TensorLevels(format.layout)
    levels.tensorScale = TensorScale(encode: 1, decode: tensor.tensorScale ?? 1)
    levels.number = tensor.tensorNumber ?? 0
    if grid.isWholeTensorBlock { levels.block = tensor.wholeTensorBlock }
    guard let plan = decodingPlan, levels.areUsable else {
      decode(tensor, levels, into: result, as: type)
      return
    }
    decode(tensor, plan, levels, into: PanelOutput(result, type))
  }

  /// The plan for decoding, which no choice of a policy changes.
  private var decodingPlan: KernelPlan? {
    plan
      ?? kernels.kernels.flatMap {
        KernelPlan(format: format, policy: format.defaultPolicy, grid: grid, kernels: $0)
      }
  }

  // MARK: - The kernels' path

  private func encode(
    _ input: PanelInput, _ plan: KernelPlan, _ levels: TensorLevels, into planes: KernelPlanes
  ) -> EncodingTally {
    @Sendable func encodePanels(_ panels: Range<Int>) -> EncodingTally {
      var encoder = PanelEncoder(plan, levels, input: input)
      for index in panels { encoder.encode(plan.grid.panel(index), into: planes) }
      return encoder.tally
    }
    if let whole = onlyPart(of: plan.grid) { return encodePanels(whole) }
    return forPanels(of: plan.grid, encodePanels).reduce(into: EncodingTally()) { $0 += $1 }
  }

  private func reconstruct(
    _ input: PanelInput, _ plan: KernelPlan, _ levels: TensorLevels, into output: PanelOutput,
    _ exactBlocks: ExactBlockCounting
  ) -> Reconstruction {
    @Sendable func reconstructPanels(_ panels: Range<Int>) -> Reconstruction {
      var encoder = PanelEncoder(plan, levels, input: input)
      for index in panels {
        encoder.reconstruct(plan.grid.panel(index), into: output, exactBlocks: exactBlocks)
      }
      return Reconstruction(tally: encoder.tally, exactBlockCount: encoder.exactBlockCount)
    }
    if let whole = onlyPart(of: plan.grid) { return reconstructPanels(whole) }
    return forPanels(of: plan.grid, reconstructPanels)
      .reduce(into: Reconstruction()) { $0 += $1 }
  }

  private func decode(
    _ tensor: QuantizedTensor, _ plan: KernelPlan, _ levels: TensorLevels,
    into output: PanelOutput
  ) {
    tensor.withKernelPlanes(plan.layout) { planes in
      @Sendable func decodePanels(_ panels: Range<Int>) {
        var decoder = PanelDecoder(plan, levels, output: output)
        for index in panels { decoder.decode(plan.grid.panel(index), from: planes) }
      }
      if let whole = onlyPart(of: plan.grid) {
        decodePanels(whole)
      } else {
        _ = forPanels(of: plan.grid, decodePanels)
      }
    }
  }

  /// Runs `body` over ranges of panels, on several threads if the tensor is large.
  private func forPanels<Part: Sendable>(
    of panels: PanelGrid, _ body: @Sendable (Range<Int>) -> Part
  ) -> [Part] {
    parallelism.map(count: panels.count, grain: grain(of: panels), body)
  }

  /// All panels, if they are few enough for one thread: such calls are short, and the arrays of
  /// several parts would take a good share of them.
  private func onlyPart(of panels: PanelGrid) -> Range<Int>? {
    parallelism.partCount(count: panels.count, grain: grain(of: panels)) == 1
      ? 0..<panels.count : nil
  }

  /// Below some tens of microseconds of work, waking a thread costs more than it saves.
  static var elementsWorthAThread: Int { 1 << 18 }
  /// The same of the reference, which takes longer for each.
  private static var referenceElementsWorthAThread: Int { 1 << 16 }

  /// The fewest panels worth a thread.
  private func grain(of panels: PanelGrid) -> Int {
    let perPanel = max(1, grid.elementCount / max(1, panels.count))
    return max(1, Self.elementsWorthAThread / perPanel)
  }

  // MARK: - The reference path

  private func encode(
    _ values: UnsafeBufferPointer<Float>, _ levels: TensorLevels, into planes: UnsafePlanes
  ) -> EncodingTally {
    nonisolated(unsafe) let values = values
    return forSlabs { slabs in
      var encoder = SlabEncoder(format: format, grid: grid, policy: policy, levels: levels)
      let scratch = SlabScratch(grid, levels)
      for index in slabs {
        let slab = grid.slab(index)
        encoder.encode(slab, of: values, into: scratch)
        planes.store(scratch, of: slab, grid)
      }
      return encoder.tally
    }
    .reduce(into: EncodingTally()) { $0 += $1 }
  }

  private func reconstruct(
    _ values: UnsafeBufferPointer<Float>, _ levels: TensorLevels,
    into result: UnsafeMutableBufferPointer<Float>
  ) -> Reconstruction {
    nonisolated(unsafe) let values = values
    nonisolated(unsafe) let result = result
    return forSlabs { slabs in
      var encoder = SlabEncoder(format: format, grid: grid, policy: policy, levels: levels)
      let decoder = SlabDecoder(format: format, grid: grid, levels: levels)
      let scratch = SlabScratch(grid, levels)
      var exact = 0
      for index in slabs {
        let slab = grid.slab(index)
        encoder.encode(slab, of: values, into: scratch)
        decoder.decode(slab, from: scratch, into: result)
        exact += decoder.exactBlockCount(of: slab, decoded: result, original: values)
      }
      return Reconstruction(tally: encoder.tally, exactBlockCount: exact)
    }
    .reduce(into: Reconstruction()) { $0 += $1 }
  }

  /// Apart from the kernels' path, since a closure takes a copy of the tensor.
  @inline(never)
  private func decode(
    _ tensor: QuantizedTensor, _ levels: TensorLevels, into result: UnsafeMutableRawBufferPointer,
    as type: ScalarType
  ) {
    withFloatResult(result, type, sharing: nil) { decode(tensor, levels, into: $0) }
  }

  private func decode(
    _ tensor: QuantizedTensor, _ levels: TensorLevels,
    into result: UnsafeMutableBufferPointer<Float>
  ) {
    nonisolated(unsafe) let result = result
    tensor.withUnsafePlanes { planes in
      _ = forSlabs { slabs in
        let decoder = SlabDecoder(format: format, grid: grid, levels: levels)
        let scratch = SlabScratch(grid, levels)
        for index in slabs {
          let slab = grid.slab(index)
          planes.load(slab, grid, into: scratch)
          decoder.decode(slab, from: scratch, into: result)
        }
      }
    }
  }

  /// Runs `body` over ranges of slabs, on several threads if the tensor is large.
  private func forSlabs<Part: Sendable>(_ body: @Sendable (Range<Int>) -> Part) -> [Part] {
    let slabCount = grid.slabCount
    let elementsPerSlab = max(1, grid.elementCount / max(1, slabCount))
    return parallelism.map(
      count: slabCount, grain: max(1, Self.referenceElementsWorthAThread / elementsPerSlab), body)
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
