/// The fields that kernels know: those of a linear layout in which at most two double parts of a block.
struct KernelLayout: Hashable, Sendable {
  let factors: FactorLayout
  /// What is added to the products of a block.
  let offset: FactorLayout.Factor?
  /// The fields of scales, of microexponents, and of bits that double parts of a block: long parts, and
  /// short ones within them.
  ///
  /// They are looked for once, since every call asks.
  let scaleField: Int?
  let shiftField: Int?
  let outerDoubling: Int?
  let innerDoubling: Int?

  /// The fields of a layout; `nil` where kernels do not know one.
  init?(_ layout: BlockLayout) {
    guard let linear = layout.linear else { return nil }
    let doublings = linear.factors.doublings
    guard doublings.count <= 2 else { return nil }
    (factors, offset) = (linear.factors, linear.offset)
    (scaleField, shiftField) = (factors.scale?.field, factors.shift?.field)
    outerDoubling = doublings.count == 2 ? doublings[0].field : nil
    innerDoubling = doublings.last?.field
  }
}

extension BlockFormat {
  /// Whether kernels decode the format in steps that any code may repeat.
  ///
  /// They round to FP32 after each step of value · scale · tensor scale, or of value · scale + offset, with
  /// powers of two in the scale.
  package var decodesByFactors: Bool { self is any KernelFormat && KernelLayout(layout) != nil }
}
