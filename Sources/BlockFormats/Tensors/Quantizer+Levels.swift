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
        && (policy.nonFinite == .nanToZero
          || policy.nonFinite == .element && layout.element.nanCode != nil)
    }
    return layout.factors?.scale?.element.nanCode != nil
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

  private func wholeTensorBlock(
    _ values: UnsafeBufferPointer<Float>, _ statistics: ValueStatistics, _ levels: TensorLevels
  ) -> TensorLevels.Block {
    var context = EncodingContext(
      layout: format.layout, policy: policy, tensorScale: levels.tensorScale)
    context.indices = ElementIndices(base: 0, BlockGrid.Region(offset: 0, columns: values.count))
    // Only a rule that tries candidates writes codes.
    let valueCount = policy.scaleRule.triesCandidates ? values.count : 0
    let scratch = BlockScratch(counts: format.layout.codeCounts(ofBlock: valueCount))
    var fields = scratch.fields
    format.encodeScale(of: values.span, statistics: statistics, context: context, into: &fields)
    let codes = format.layout.fields.enumerated().map { index, field -> [UInt32]? in
      guard case .perBlock = field.extent else { return nil }
      return Array(fields.codes(index))
    }
    return TensorLevels.Block(codes: codes, encodeMultiplier: fields.encodeMultiplier)
  }
}

extension BlockLayout {
  /// Whether one FP32 number of a block that spans the tensor is all that scales it.
  package var hasOneFloat32Scale: Bool {
    guard block == .tensor, let factors else { return false }
    return factors.tensorField == nil && factors.scale?.element == .fp32
  }

  /// The codes of each field that a block of some elements has.
  func codeCounts(ofBlock elementCount: Int) -> [Int] {
    fields.map { field in
      switch field.extent {
      case .everyElement: elementCount
      case .every(let length): (elementCount + length - 1) / length
      case .perBlock(let count): count
      case .perTensor: 1
      }
    }
  }
}

/// What all blocks of a tensor share.
struct TensorLevels: Sendable {
  var tensorScale = TensorScale(encode: 1, decode: 1)
  /// What a block that spans the tensor stores besides its elements.
  var block: Block?
  /// The index in the tensor of the first value at hand, by which random words are drawn.
  var firstElement = 0
  private let tensorField: Int?

  init(_ layout: BlockLayout) { tensorField = layout.tensorField }

  /// Whether kernels can work with the scales.
  var areUsable: Bool { !tensorScale.encode.isNaN }

  /// Whether a scale made the whole tensor NaN.
  var isNaN: Bool { tensorScale.encode.isNaN || block?.encodeMultiplier.isNaN ?? false }

  /// The codes of a field that are the same for all blocks; `nil` where blocks have their own.
  func codes(_ field: Int) -> [UInt32]? {
    field == tensorField ? [tensorScale.decode.bitPattern] : block?.codes[field]
  }

  /// Puts a caller's decode multiplier in the place of the tensor's scale: the tensor scale, or
  /// the one FP32 scale of a whole-tensor block.
  mutating func take(_ decode: Float, for layout: BlockLayout) {
    let scale = TensorScale(decode: decode)
    if layout.tensorField != nil {
      tensorScale = scale
    } else if layout.hasOneFloat32Scale {
      block = Block(
        codes: layout.fields.map { $0.extent == .perBlock(1) ? [decode.bitPattern] : nil },
        encodeMultiplier: scale.encode)
    }
  }

  /// A block that spans the tensor, without its elements.
  struct Block: Sendable {
    /// The codes of each field that has some for the block; `nil` for other fields.
    var codes: [[UInt32]?]
    var encodeMultiplier: Float

    /// The code of the first such field.
    var scale: UInt32 { codes.lazy.compactMap(\.self).first?.first ?? 0 }
  }
}
