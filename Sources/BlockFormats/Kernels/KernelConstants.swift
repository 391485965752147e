internal import CBlockKernels
import NumericSupport

/// A plan's constants for one tensor, at addresses that kernels can read.
struct KernelConstants: ~Copyable {
  let element: UnsafeMutablePointer<BKElement>
  let scaleElement: UnsafeMutablePointer<BKElement>
  let shared: UnsafeMutablePointer<BKSharedScale>
  let float: UnsafeMutablePointer<BKFloatScale>
  let twoLevel: UnsafeMutablePointer<BKTwoLevelScale>
  let coder: UnsafeMutablePointer<BKBlockCoder>
  let doublings: UnsafeMutablePointer<BKDoublings>
  /// How whole rows, or panels of several, are worked on; `nil` where they are too unusual.
  let row: UnsafeMutablePointer<BKBlockRule>?
  /// Whether each block is such a row, and the rule must be given its multiplier and scale.
  let hasLongBlocks: Bool
  /// Which of the scales is used.
  let kind: Kind
  /// How many scales are tried for each block, and the exponent steps of shared ones.
  let candidateCount: Int
  let steps: UnsafeMutablePointer<Int32>
  /// What kernels for whole rows and panels work in; nothing where there is no `row`, and nothing is
  /// doubled.
  let workspace: UnsafeMutableRawPointer
  /// The memory of all of these, which is one allocation: short calls feel every one.
  private let memory: UnsafeMutableRawPointer
  /// What all blocks of the tensor share.
  let tensorScale: TensorScale
  let blockScale: TensorLevels.Block?

  enum Kind {
    case unscaled
    case shared
    case float
    case twoLevel
    case stored
    case doubled
  }

  init(_ plan: KernelPlan, _ levels: TensorLevels) {
    candidateCount = plan.scale.candidateCount
    var layout = MemoryCuts()
    let elementAt = layout.cut(BKElement.self)
    let scaleElementAt = layout.cut(BKElement.self)
    let sharedAt = layout.cut(BKSharedScale.self)
    let floatAt = layout.cut(BKFloatScale.self)
    let coderAt = layout.cut(BKBlockCoder.self)
    let doublingsAt = layout.cut(BKDoublings.self)
    let rowAt = layout.cut(BKBlockRule.self)
    let twoLevelAt = layout.cut(BKTwoLevelScale.self, count: candidateCount)
    let stepsAt = layout.cut(Int32.self, count: candidateCount)
    let rowRule = KernelConstants.rowRule(plan, levels)
    var needsWorkspace = rowRule != nil
    if case .doubled = plan.scale { needsWorkspace = true }
    // Aligned by hand: allocating at more than 16 bytes takes longer.
    let workspaceAt = layout.cut(
      UInt8.self,
      count: needsWorkspace ? Int(BK_WORKSPACE_BYTES) + Int(BK_WORKSPACE_ALIGNMENT) : 0)
    memory = .allocate(byteCount: layout.byteCount, alignment: 16)
    workspace = (memory + workspaceAt).alignedUp(toMultipleOf: Int(BK_WORKSPACE_ALIGNMENT))
    element = (memory + elementAt).bindMemory(to: BKElement.self, capacity: 1)
    scaleElement = (memory + scaleElementAt).bindMemory(to: BKElement.self, capacity: 1)
    shared = (memory + sharedAt).bindMemory(to: BKSharedScale.self, capacity: 1)
    float = (memory + floatAt).bindMemory(to: BKFloatScale.self, capacity: 1)
    twoLevel = (memory + twoLevelAt)
      .bindMemory(to: BKTwoLevelScale.self, capacity: candidateCount)
    coder = (memory + coderAt).bindMemory(to: BKBlockCoder.self, capacity: 1)
    doublings = (memory + doublingsAt).bindMemory(to: BKDoublings.self, capacity: 1)
    steps = (memory + stepsAt).bindMemory(to: Int32.self, capacity: candidateCount)
    element.initialize(to: plan.element)
    scaleElement.initialize(to: BKElement())
    shared.initialize(to: BKSharedScale())
    float.initialize(to: BKFloatScale())
    coder.initialize(to: BKBlockCoder())
    doublings.initialize(to: BKDoublings())
    twoLevel.initialize(repeating: BKTwoLevelScale(), count: candidateCount)
    steps.initialize(repeating: 0, count: candidateCount)
    tensorScale = levels.tensorScale
    blockScale = levels.block
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
        twoLevel[index].tensor_reciprocal = tensorScale.encodeReciprocal
      }
    case .stored(let coder):
      kind = .stored
      self.coder.pointee = coder
    case .doubled(let rule):
      kind = .doubled
      doublings.pointee = rule
    }
    hasLongBlocks = levels.block == nil && KernelConstants.hasLongBlocks(plan)
    guard let rule = rowRule else {
      row = nil
      return
    }
    row = (memory + rowAt).bindMemory(to: BKBlockRule.self, capacity: 1)
    row?.initialize(to: rule)
    row?.pointee.shared = shared.pointee
    row?.pointee.floating = float.pointee
    row?.pointee.two_level = twoLevel.pointee
  }

  /// Blocks from this length on are worth a call for each.
  private static let longBlock = 1024

  /// Whether blocks are rows that are worked on one by one.
  private static func hasLongBlocks(_ plan: KernelPlan) -> Bool {
    let grid = plan.grid
    guard grid.rows == 1, grid.blockColumns >= longBlock, plan.element.isNarrow,
      grid.columns <= grid.blockColumns || grid.blockColumns * Int(plan.element.width) % 8 == 0,
      !plan.hasSubscales
    else { return false }
    switch plan.scale {
    case .shared, .float: return true
    case .unscaled, .twoLevel, .stored, .doubled: return false
    }
  }

  /// Whether kernels can work on panels of several rows at once.
  private static func hasPanelKernels(_ plan: KernelPlan) -> Bool {
    let grid = plan.grid
    let unitRows = (grid.rows + grid.unitRows - 1) / grid.unitRows
    switch plan.scale {
    case .unscaled, .stored, .doubled: return false
    case .shared, .float, .twoLevel: break
    }
    return plan.element.isNarrow && grid.unitColumns == grid.blockColumns
      && grid.blockColumns <= Int(BK_LONGEST_BLOCK)
      && (unitRows == 1 || (grid.blockColumns == 1 && unitRows <= Int(BK_MOST_UNIT_ROWS)))
  }

  /// The geometry of whole rows or panels, if kernels can work on them at once.
  private static func rowRule(_ plan: KernelPlan, _ levels: TensorLevels) -> BKBlockRule? {
    let grid = plan.grid
    guard !plan.scale.triesCandidates, grid.rows == 1 || hasPanelKernels(plan) else { return nil }
    if !plan.element.isNarrow {
      guard case .unscaled = plan.scale, plan.element.fitsHalfWords else { return nil }
    }
    var rule = BKBlockRule()
    rule.scaling = plan.scaling
    rule.tensor_scale = levels.tensorScale.decode
    rule.scale_width = UInt32(plan.scaleWidth)
    rule.subscale_width = UInt32(plan.subscaleWidth)
    func isPowerOfTwo(_ length: Int) -> Bool { length.nonzeroBitCount == 1 }
    rule.block = grid.blockColumns
    rule.unit = grid.unitColumns
    if let shared = levels.block {
      rule.kind = BK_RULE_GIVEN
      rule.multiplier = shared.encodeMultiplier
      rule.scale = Float(bitPattern: shared.scale)
    } else if case .unscaled = plan.scale {
      rule.kind = BK_RULE_GIVEN
      rule.multiplier = 1
      rule.scale = 1
    } else if hasLongBlocks(plan) {
      rule.kind = BK_RULE_GIVEN
    } else {
      guard
        grid.rows > 1
          || (grid.blockColumns <= Int(BK_LONGEST_BLOCK) && isPowerOfTwo(grid.blockColumns)
            && isPowerOfTwo(grid.unitColumns))
      else { return nil }
      switch plan.scale {
      case .unscaled, .doubled: return nil
      case .shared: rule.kind = BK_RULE_SHARED
      case .float: rule.kind = BK_RULE_FLOAT
      case .twoLevel: rule.kind = BK_RULE_TWO_LEVEL
      case .stored(let coder):
        rule.kind = BK_RULE_STORED
        rule.stored = coder.stored
      }
    }
    return rule
  }

  deinit {
    memory.deallocate()
  }
}
