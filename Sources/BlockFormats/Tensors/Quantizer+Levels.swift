import CallerChecks

extension Quantizer {
  /// Computes what all blocks share: the tensor scale, and the scale of a whole-tensor block.
  func tensorLevels(
    _ values: UnsafeRawBufferPointer, as type: ScalarType, tensorScale given: Float?
  ) -> TensorLevels {
    if let given {
      require(
        TensorScale.isValid(decode: given),
        "tensor scale \(given) is outside 2^-128...\(Float.greatestFiniteMagnitude)")
    }
    var levels = TensorLevels(format.layout)
    guard format.layout.needsStatistics else { return levels }
    if let given, isIndifferentToValues {
      // A tensor without elements has no block to give a scale to.
      if grid.elementCount > 0 || !grid.isWholeTensorBlock {
        levels.take(given, for: format.layout)
      }
      return levels
    }
    let statistics = finiteStatistics(of: PanelInput(values, type))
    if let statistics, !(grid.isWholeTensorBlock && policy.scaleRule.needsValues) {
      let none = UnsafeBufferPointer<Float>(start: nil, count: 0)
      return levelsOf(none, statistics, tensorScale: given)
    }
    return withFloats(values, type) {
      levelsOf(
        $0, statistics ?? ValueStatistics($0, parallelism: parallelism), tensorScale: given)
    }
  }

  /// The levels of a part of a tensor from the statistics of the whole.
  ///
  /// - Parameters:
  ///   - values: the part: the whole tensor if a scale search looks at values.
  ///   - statistics: computed from the values if `nil`.
  func levels(
    of values: UnsafeRawBufferPointer, as type: ScalarType, statistics: ValueStatistics?
  ) -> TensorLevels {
    guard let statistics, !(grid.isWholeTensorBlock && policy.scaleRule.needsValues) else {
      return tensorLevels(values, as: type, tensorScale: nil)
    }
    return levelsOf(UnsafeBufferPointer(start: nil, count: 0), statistics, tensorScale: nil)
  }

  /// The levels for statistics; only a scale search looks at the values themselves.
  private func levelsOf(
    _ values: UnsafeBufferPointer<Float>, _ statistics: ValueStatistics, tensorScale given: Float?
  ) -> TensorLevels {
    var levels = TensorLevels(format.layout)
    // A given scale does not bring back a tensor that its own scale makes NaN.
    if format.layout.tensorField != nil {
      levels.tensorScale = format.tensorScale(for: statistics, policy: policy)
      if let given, !levels.isNaN { levels.take(given, for: format.layout) }
    }
    if grid.isWholeTensorBlock && grid.elementCount > 0 {
      levels.block = wholeTensorBlock(values, statistics, levels)
      if let given, !levels.isNaN { levels.take(given, for: format.layout) }
    }
    return levels
  }

  /// Whether no value can make the scale of the whole tensor NaN.
  private var isIndifferentToValues: Bool {
    let layout = format.layout
    if grid.isWholeTensorBlock {
      return layout.hasOneFloat32Scale
        && (policy.nonFinite.replacesInfinity
          || policy.nonFinite == .element && layout.element.nanCode != nil)
    }
    return layout.factors?.scale?.element.nanCode != nil
  }

  /// The statistics of values that are all finite, by kernels; `nil` for others.
  private func finiteStatistics(of input: PanelInput) -> ValueStatistics? {
    guard let table = plan?.kernels.table else { return nil }
    nonisolated(unsafe) let kernels = table
    let greatest = parallelism.map(count: grid.elementCount, grain: Self.elementsWorthAThread) {
      input.greatestMagnitude(in: $0, kernels)
    }.max()
    let amax = Float(bitPattern: greatest ?? 0)
    guard amax.isFinite else { return nil }
    var statistics = ValueStatistics()
    statistics.amax = amax
    return statistics
  }

  private func wholeTensorBlock(
    _ values: UnsafeBufferPointer<Float>, _ statistics: ValueStatistics, _ levels: TensorLevels
  ) -> TensorLevels.Block {
    var context = EncodingContext(
      layout: format.layout, policy: policy, tensorScale: levels.tensorScale)
    context.indices = ElementIndices(base: 0, BlockGrid.Region(offset: 0, columns: values.count))
    // Only a rule that tries candidates writes codes.
    let valueCount = policy.scaleRule.needsValues ? values.count : 0
    let scratch = BlockScratch(counts: format.layout.codeCounts(ofBlock: valueCount))
    var fields = scratch.fields
    format.encodeScale(of: values.span, statistics: statistics, context: context, into: &fields)
    let layout = format.layout
    if let scale = layout.factors?.scale {
      return TensorLevels.Block(
        scaleField: scale.field, scale: fields[scale.field, 0],
        encodeMultiplier: fields.encodeMultiplier)
    }
    let codes = layout.fields.enumerated().map { index, field -> [UInt32]? in
      guard case .perBlock = field.extent else { return nil }
      return Array(fields.codes(index))
    }
    return TensorLevels.Block(codes: codes, encodeMultiplier: fields.encodeMultiplier)
  }
}
