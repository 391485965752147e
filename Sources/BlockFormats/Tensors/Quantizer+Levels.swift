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
    var levels = TensorLevels()
    guard format.layout.tensorScale != .absent || grid.isWholeTensorBlock else { return levels }
    if let given, isIndifferentToValues {
      // A tensor without elements has no block to give a scale to.
      if grid.elementCount > 0 || !grid.isWholeTensorBlock {
        levels.take(given, for: format.layout)
      }
      return levels
    }
    let statistics = finiteStatistics(of: PanelInput(values, type))
    if let statistics, !(grid.isWholeTensorBlock && policy.scaleRule.triesCandidates) {
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
    guard let statistics, !(grid.isWholeTensorBlock && policy.scaleRule.triesCandidates) else {
      return tensorLevels(values, as: type, tensorScale: nil)
    }
    return levelsOf(UnsafeBufferPointer(start: nil, count: 0), statistics, tensorScale: nil)
  }

  /// The levels for statistics; only a scale search looks at the values themselves.
  private func levelsOf(
    _ values: UnsafeBufferPointer<Float>, _ statistics: ValueStatistics, tensorScale given: Float?
  ) -> TensorLevels {
    var levels = TensorLevels()
    // A given scale does not bring back a tensor that its own scale makes NaN.
    if format.layout.tensorScale != .absent {
      levels.tensorScale = format.tensorScale(for: statistics, policy: policy)
      if let given, !levels.isNaN { levels.take(given, for: format.layout) }
    }
    if grid.isWholeTensorBlock && grid.elementCount > 0 {
      levels.blockScale = wholeTensorScale(values, statistics, levels.tensorScale)
      if let given, !levels.isNaN { levels.take(given, for: format.layout) }
    }
    return levels
  }

  /// Whether no value can make the scale of the whole tensor NaN.
  private var isIndifferentToValues: Bool {
    let layout = format.layout
    if grid.isWholeTensorBlock {
      return layout.tensorScale == .absent && layout.scale == .fp32
        && (policy.nonFinite == .nanToZero
          || policy.nonFinite == .element && layout.element.nanCode != nil)
    }
    return layout.scale?.nanCode != nil
  }

  /// The statistics of values that are all finite, by kernels; `nil` for others.
  private func finiteStatistics(of input: PanelInput) -> ValueStatistics? {
    guard let table = plan?.kernels.table else { return nil }
    nonisolated(unsafe) let kernels = table
    let greatest = parallelism.map(count: grid.elementCount, grain: 1 << 18) {
      input.greatestMagnitude(in: $0, kernels)
    }.max()
    let amax = Float(bitPattern: greatest ?? 0)
    guard amax.isFinite else { return nil }
    var statistics = ValueStatistics()
    statistics.amax = amax
    return statistics
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
  var tensorScale = TensorScale(encode: 1, decode: 1)
  /// The scale of a block that spans the tensor.
  var blockScale: BlockScale?
  /// The index in the tensor of the first value at hand, by which random words are drawn.
  var firstElement = 0

  /// Whether kernels can work with the scales.
  var areUsable: Bool { !tensorScale.encode.isNaN }

  /// Whether a scale made the whole tensor NaN.
  var isNaN: Bool { tensorScale.encode.isNaN || blockScale?.encodeMultiplier.isNaN ?? false }

  /// Puts a caller's decode multiplier in the place of the tensor's scale: the tensor scale, or
  /// the one FP32 scale of a whole-tensor block.
  mutating func take(_ decode: Float, for layout: BlockLayout) {
    let scale = TensorScale(decode: decode)
    if layout.tensorScale != .absent {
      tensorScale = scale
    } else if layout.scale == .fp32 {
      blockScale = BlockScale(scale: decode.bitPattern, encodeMultiplier: scale.encode)
    }
  }

  struct BlockScale: Sendable {
    var scale: UInt32
    var encodeMultiplier: Float
  }
}
