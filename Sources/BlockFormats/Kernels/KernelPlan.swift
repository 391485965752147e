internal import CBlockKernels

/// Everything that kernels need to know of a format, a policy and a shape, worked out once.
final class KernelPlan: Sendable {
  let kernels: Kernels
  let element: BKElement
  let scale: KernelScale
  let scaling: BKScaling
  let grid: PanelGrid
  /// What the format stores.
  let layout: KernelLayout
  /// The format itself, for what kernels leave to it.
  let format: any BlockFormat
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
  /// Whether bits double parts of blocks.
  var hasDoublings: Bool { layout.innerDoubling != nil }

  /// The plan; `nil` where the format or the policy has no vector form.
  init?(
    format: some BlockFormat, policy: EncodingPolicy, grid: BlockGrid, kernels: Kernels
  ) {
    // The sign of zeros is that of their values, or there is none.
    guard
      policy.zeroSign == .kept || !format.element.hasNegativeZero
        || (policy.zeroSign == .positive && !format.element.isTable),
      let format = format as? any KernelFormat, let layout = KernelLayout(format.layout),
      let scale = format.kernelScale(policy: policy),
      let element = format.kernelElement(policy: policy),
      element.isNarrow || !scale.triesCandidates
    else { return nil }
    if grid.isWholeTensorBlock {
      // The scale is found beforehand; only FP32 scales come with their multiplier.
      switch scale {
      case .unscaled, .float: break
      case .shared, .twoLevel, .stored, .doubled: return nil
      }
    }
    self.kernels = kernels
    self.element = element
    self.scale = scale.taming(element)
    self.policy = policy
    self.format = format
    self.layout = layout
    self.grid = PanelGrid(grid, layout)
    elementFormat = format.element
    greatestMagnitude = format.element.magnitude(of: format.element.greatestMagnitudeCode)
    encoder = ElementEncoder(format.element, policy: policy)
    scaleWidth = layout.factors.scale?.element.bitWidth ?? 0
    subscaleWidth = layout.factors.shift?.bitWidth ?? 0
    switch scale {
    case .unscaled: scaling = BK_SCALE_NONE
    case .shared, .float, .doubled: scaling = BK_SCALE_BLOCK
    case .twoLevel: scaling = BK_SCALE_TENSOR
    case .stored: scaling = layout.offset == nil ? BK_SCALE_BLOCK : BK_SCALE_LINE
    }
  }
}
