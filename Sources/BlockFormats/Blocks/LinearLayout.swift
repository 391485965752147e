/// A layout in which every value is a product of factors plus at most one offset of its block.
///
/// These are the layouts that kernels and matrix products know. All others take part by their decoded
/// values.
package struct LinearLayout: Hashable, Sendable {
  /// The factors.
  package let factors: FactorLayout
  /// What is added to the products of a block.
  package let offset: FactorLayout.Factor?

  /// The fields as factors and an offset; `nil` where another is anything else.
  init?(_ fields: [StoredField]) {
    let offset = fields.firstIndex { $0.role == .offset && $0.extent == .perBlock(1) }
    guard let factors = FactorLayout(fields, besides: offset) else { return nil }
    self.factors = factors
    self.offset = offset.map {
      FactorLayout.Factor(field: $0, element: fields[$0].element)
    }
  }
}
