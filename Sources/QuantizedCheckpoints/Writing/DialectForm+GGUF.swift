internal import BlockFormats
internal import TensorFiles

extension Dialect {
  func ggmlForm(
    _ format: any BlockFormat, _ name: WeightName, _ shape: [Int]
  ) -> DialectForm? {
    guard let packing = format.ggmlPacking, let type = Self.ggmlType(of: format), shape.count <= 4
    else { return nil }
    return DialectForm(
      format: format, shape: shape,
      parts: [
        DialectForm.Part(
          description: StoredDescription(name.whole, type, shape), contents: .blocks(packing))
      ])
  }

  /// The type of GGUF that holds a format's blocks; nil where none does.
  static func ggmlType(of format: any BlockFormat) -> GGMLType? {
    GGMLType.all.first { Recognition.format(of: $0)?.isSame(as: format) == true }
  }
}
