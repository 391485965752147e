/// The fields that kernels know: factors, of which at most two double parts of a block, and at most one
/// offset for each block.
struct KernelLayout: Hashable, Sendable {
  let factors: FactorLayout
  /// What is added to the products of a block.
  let offset: FactorLayout.Factor?
  /// The fields of bits that double parts of a block: long parts, and short ones within them.
  let outerDoubling: Int?
  let innerDoubling: Int?

  /// The fields of a layout; `nil` where kernels do not know one.
  init?(_ layout: BlockLayout) {
    let offset = layout.fields.firstIndex { $0.role == .offset && $0.extent == .perBlock(1) }
    guard let factors = layout.factors ?? FactorLayout(layout.fields, besides: offset) else {
      return nil
    }
    let doublings = factors.powers.filter { $0.direction == .up }
    guard doublings.count <= 2 else { return nil }
    outerDoubling = doublings.count == 2 ? doublings[0].field : nil
    innerDoubling = doublings.last?.field
    self.factors = factors
    self.offset = offset.map {
      FactorLayout.Factor(field: $0, element: layout.fields[$0].element)
    }
  }
}
