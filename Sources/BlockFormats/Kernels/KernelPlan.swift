internal import CBlockKernels

/// Everything that kernels need to know of a format, a policy and a shape.
struct KernelPlan: @unchecked Sendable {
  let kernels: Kernels
  let element: BKElement
  let scale: KernelScale
  let scaling: BKScaling
  let grid: PanelGrid
  let policy: EncodingPolicy
  let elementFormat: ElementFormat
  let hasSubscales: Bool
  /// What all blocks of the tensor share.
  let levels: TensorLevels

  /// The plan; `nil` where the format or the policy has no vector form.
  init?(
    format: some BlockFormat, policy: EncodingPolicy, grid: BlockGrid, levels: TensorLevels,
    kernels: Kernels
  ) {
    let layout = format.layout
    guard let format = format as? any KernelFormat, layout.element.isSigned,
      layout.codes == .onePerElement, !levels.tensorScale.encode.isNaN,
      let scale = format.kernelScale(policy: policy, tensorScale: levels.tensorScale)
    else { return nil }
    let encoder = ElementEncoder(
      layout.element, rounding: policy.rounding, overflow: policy.overflow,
      nonFinite: policy.nonFinite)
    guard
      let element = BKElement(
        layout.element, encoder: encoder, poison: format.poisonCode,
        scaling: format.kernelScaling),
      element.isNarrow || !scale.triesCandidates
    else { return nil }
    if grid.isWholeTensorBlock {
      // The scale is found beforehand; only FP32 scales come with their multiplier.
      switch scale {
      case .unscaled, .float: break
      case .shared, .twoLevel: return nil
      }
    }
    self.kernels = kernels
    self.element = element
    self.scale = scale.limited(to: element.tame_limit)
    self.policy = policy
    self.levels = levels
    self.grid = PanelGrid(grid, layout: layout)
    elementFormat = layout.element
    hasSubscales = layout.subscale != nil
    switch scale {
    case .unscaled: scaling = BK_SCALE_NONE
    case .shared, .float: scaling = BK_SCALE_BLOCK
    case .twoLevel: scaling = BK_SCALE_TENSOR
    }
  }

  /// What codes are multiplied by, from the scales and sub-scales of a panel.
  func setScaleValues(
    _ scratch: borrowing PanelScratch, _ constants: borrowing KernelConstants,
    _ shape: PanelEncoder.Shape
  ) {
    let table = kernels.table
    if let shared = levels.blockScale {
      scratch.scaleValues.update(
        repeating: Float(bitPattern: shared.scale), count: shape.units)
      return
    }
    switch scale {
    case .unscaled: break
    case .shared:
      for row in 0..<shape.unitRowCount {
        let first = row * shape.units
        table.pointee.shared_values(
          constants.shared, scratch.scaleCodes, hasSubscales ? scratch.subscales + first : nil,
          shape.units, shape.spread, scratch.scaleValues + first)
      }
    case .float:
      for block in 0..<shape.blocks {
        scratch.scaleValues[block] = Float(bitPattern: scratch.wideScales[block])
      }
    case .twoLevel:
      table.pointee.decode(
        constants.scaleElement, BK_SCALE_NONE, scratch.scaleCodes, shape.blocks, nil, 1, 1,
        scratch.scaleValues)
    }
  }
}
