/// The element type of a NumPy array.
struct NpyElementType: Sendable {
  let dtype: TensorDType
  let byteOrder: ByteOrder

  /// Those of arrays in files of their own, by their descriptors.
  static let readable: [String: NpyElementType] = [
    "<f8": .init(.f64), ">f8": .init(.f64, .big), "<f4": .init(.f32), ">f4": .init(.f32, .big),
    "<f2": .init(.f16), ">f2": .init(.f16, .big), "|u1": .init(.u8), "<u2": .init(.u16),
    "<u4": .init(.u32),
  ]

  /// Those of arrays that may lie beside others in an archive.
  private static let known: [String: NpyElementType] = readable.merging([
    "|b1": .init(.bool), "|i1": .init(.i8), "<i2": .init(.i16), "<i4": .init(.i32),
    "<i8": .init(.i64), "<u8": .init(.u64), "<c8": .init(.c64),
  ]) { $1 }

  private init(_ dtype: TensorDType, _ byteOrder: ByteOrder = .little) {
    self.dtype = dtype
    self.byteOrder = byteOrder
  }

  /// The type of an array in a file of its own.
  ///
  /// - Throws: `.voidDType` if the size is known alone, and `.unsupportedDType` for all others that
  ///   are not read, which lists those that are.
  init(
    _ descriptor: String, elements: ElementSelection, voids: VoidTypes, path: String
  ) throws(TensorFileError) {
    func isWanted(_ dtype: TensorDType) -> Bool {
      elements == .any || FloatEncoding(dtype) != nil
    }
    let types = Self.readable.filter { isWanted($0.value.dtype) }
    var type = types[descriptor]
    if let byteCount = VoidTypes.byteCount(descriptor) {
      let candidates = VoidTypes.candidates(byteCount: byteCount).filter(isWanted)
      let dtype = voids.dtype(byteCount: byteCount)
      guard dtype != nil || candidates.isEmpty else {
        throw .voidDType(
          path: path, tensor: nil, dtype: "'\(descriptor)'", candidates: candidates)
      }
      type = dtype.flatMap { isWanted($0) ? NpyElementType($0) : nil }
    }
    guard let type else {
      throw .unsupportedDType(
        path: path, tensor: nil, dtype: "'\(descriptor)'",
        supported: types.keys.sorted().joined(separator: " "))
    }
    self = type
  }

  /// The type of an array in an archive; nil if it is one that `TensorDType` lacks.
  ///
  /// - Throws: `.voidDType` if the size is known alone.
  init?(
    member descriptor: String, voids: VoidTypes, path: String, tensor: String
  ) throws(TensorFileError) {
    var type = Self.known[descriptor]
    if let byteCount = VoidTypes.byteCount(descriptor) {
      guard let dtype = voids.dtype(byteCount: byteCount) else {
        throw .voidDType(
          path: path, tensor: tensor, dtype: "'\(descriptor)'",
          candidates: VoidTypes.candidates(byteCount: byteCount))
      }
      type = NpyElementType(dtype)
    }
    guard let type else { return nil }
    self = type
  }
}
