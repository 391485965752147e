internal import CBlockKernels

/// A plan's constants for one tensor, at addresses that kernels can read.
struct KernelConstants: ~Copyable {
  let element: UnsafeMutablePointer<BKElement>
  let scaleElement: UnsafeMutablePointer<BKElement>
  let shared: UnsafeMutablePointer<BKSharedScale>
  let float: UnsafeMutablePointer<BKFloatScale>
  let twoLevel: UnsafeMutablePointer<BKTwoLevelScale>
  /// Which of the scales is used.
  let kind: Kind
  /// How many scales are tried for each block, and the exponent steps of shared ones.
  let candidateCount: Int
  let steps: UnsafeMutablePointer<Int32>
  /// What all blocks of the tensor share.
  let tensorScale: TensorScale
  let blockScale: TensorLevels.BlockScale?

  enum Kind {
    case unscaled
    case shared
    case float
    case twoLevel
  }

  init(_ plan: KernelPlan, _ levels: TensorLevels) {
    candidateCount = plan.scale.candidateCount
    element = .allocate(capacity: 1)
    scaleElement = .allocate(capacity: 1)
    shared = .allocate(capacity: 1)
    float = .allocate(capacity: 1)
    twoLevel = .allocate(capacity: candidateCount)
    steps = .allocate(capacity: candidateCount)
    element.initialize(to: plan.element)
    scaleElement.initialize(to: BKElement())
    shared.initialize(to: BKSharedScale())
    float.initialize(to: BKFloatScale())
    twoLevel.initialize(repeating: BKTwoLevelScale(), count: candidateCount)
    steps.initialize(repeating: 0, count: candidateCount)
    tensorScale = levels.tensorScale
    blockScale = levels.blockScale
    switch plan.scale {
    case .unscaled: kind = .unscaled
    case .shared(let rule, let candidates):
      kind = .shared
      shared.pointee = rule
      for (index, step) in candidates.enumerated() { steps[index] = step }
    case .float(let rule):
      kind = .float
      float.pointee = rule
    case .twoLevel(let rules, let decoding):
      kind = .twoLevel
      scaleElement.pointee = decoding
      for (index, rule) in rules.enumerated() {
        twoLevel[index] = rule
        twoLevel[index].factor = tensorScale.encode * rule.factor
        twoLevel[index].tensor_reciprocal = 1 / tensorScale.encode
      }
    }
  }

  deinit {
    element.deallocate()
    scaleElement.deallocate()
    shared.deallocate()
    float.deallocate()
    twoLevel.deallocate()
    steps.deallocate()
  }
}
