internal import CBlockKernels

/// Everything that kernels need to know of a format, a policy and a shape, worked out once.
final class KernelPlan: Sendable {
  let kernels: Kernels
  let element: BKElement
  let scale: KernelScale
  let scaling: BKScaling
  let grid: PanelGrid
  /// What the format stores.
  let factors: FactorLayout
  let policy: EncodingPolicy
  let elementFormat: ElementFormat
  /// The largest magnitude that a code stands for.
  let greatestMagnitude: Double
  /// The reference encoder of the policy.
  let encoder: ElementEncoder
  /// Bits of a stored scale and of a sub-scale, 0 where there are none.
  let scaleWidth: Int
  let subscaleWidth: Int
  var hasSubscales: Bool { subscaleWidth > 0 }

  /// The plan; `nil` where the format or the policy has no vector form.
  init?(
    format: some BlockFormat, policy: EncodingPolicy, grid: BlockGrid, kernels: Kernels
  ) {
    let layout = format.layout
    guard let format = format as? any KernelFormat,
      layout.element.isSigned || layout.element.isTable,
      let factors = layout.factors, let scale = format.kernelScale(policy: policy)
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
    self.scale = scale.taming(element)
    self.policy = policy
    self.factors = factors
    self.grid = PanelGrid(grid, factors)
    elementFormat = layout.element
    greatestMagnitude = layout.element.magnitude(of: layout.element.greatestMagnitudeCode)
    self.encoder = encoder
    scaleWidth = factors.scale?.element.bitWidth ?? 0
    subscaleWidth = factors.shift?.bitWidth ?? 0
    switch scale {
    case .unscaled: scaling = BK_SCALE_NONE
    case .shared, .float: scaling = BK_SCALE_BLOCK
    case .twoLevel: scaling = BK_SCALE_TENSOR
    }
  }
}
