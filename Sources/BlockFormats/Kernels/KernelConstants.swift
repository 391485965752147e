internal import CBlockKernels

/// A plan's constants at addresses that kernels can read.
struct KernelConstants: ~Copyable {
  let element: UnsafeMutablePointer<BKElement>
  let scaleElement: UnsafeMutablePointer<BKElement>
  let shared: UnsafeMutablePointer<BKSharedScale>
  let float: UnsafeMutablePointer<BKFloatScale>
  let twoLevel: UnsafeMutablePointer<BKTwoLevelScale>

  /// The most targets that a two-level rule tries.
  private static let ruleCapacity = 2

  init(_ plan: KernelPlan) {
    element = .allocate(capacity: 1)
    scaleElement = .allocate(capacity: 1)
    shared = .allocate(capacity: 1)
    float = .allocate(capacity: 1)
    twoLevel = .allocate(capacity: Self.ruleCapacity)
    element.initialize(to: plan.element)
    scaleElement.initialize(to: BKElement())
    shared.initialize(to: BKSharedScale())
    float.initialize(to: BKFloatScale())
    twoLevel.initialize(repeating: BKTwoLevelScale(), count: Self.ruleCapacity)
    switch plan.scale {
    case .unscaled: break
    case .shared(let rule, _): shared.pointee = rule
    case .float(let rule): float.pointee = rule
    case .twoLevel(let rules, let decoding):
      scaleElement.pointee = decoding
      precondition(rules.count <= Self.ruleCapacity, "\(rules.count) targets")
      for (index, rule) in rules.enumerated() { twoLevel[index] = rule }
    }
  }

  deinit {
    element.deallocate()
    scaleElement.deallocate()
    shared.deallocate()
    float.deallocate()
    twoLevel.deallocate()
  }
}
