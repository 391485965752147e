internal import BlockFormats
internal import TensorFiles

extension StoredPart {
  /// Checks that what is stored is what a field of a format needs.
  ///
  /// - Parameters:
  ///   - plane: the codes that the field needs.
  ///   - format: the format.
  ///   - field: the place of the field in its layout.
  ///   - shape: the extents of the tensor as blocks see them.
  /// - Throws: `.tensor` where it is of another type, lies in other rows, or has more or less.
  func check(
    against plane: PlaneLayout, of format: any BlockFormat, field: Int, _ shape: [Int]
  ) throws(ModelCheckpointError) {
    guard let stored else { return }
    func failure(_ reason: String) -> ModelCheckpointError {
      .tensor(
        path: stored.path, name: stored.name,
        reason: "\(stored.type) of shape \(stored.shape), " + reason)
    }
    let element = format.layout.fields[field].element
    guard mayHold(element, stored.type) else {
      throw failure("which are no \(element) of \(format.id)")
    }
    let codeCount = plane.rowCount * plane.rowLength
    let (needed, has) =
      switch coding {
      case .plane, .highNibbleFirst: (plane.byteCount, stored.byteCount)
      case .bytes: (codeCount, stored.byteCount)
      case .offsetWords: (plane.rowCount * Self.wordRowBytes(plane), stored.byteCount)
      case .floats: (codeCount, stored.elementCount)
      case .tensorScale: (1, stored.elementCount)
      case .tiles128x4:
        (ScaleTiles(rows: plane.rowCount, columns: plane.rowLength).byteCount, stored.byteCount)
      }
    guard needed == has else {
      let unit =
        switch coding {
        case .floats, .tensorScale: "numbers"
        default: "bytes"
        }
      throw failure("which is \(has) \(unit) where \(format.id) needs \(needed)")
    }
    guard hasRows(of: shape, stored.shape, isScale: field > 0, format.layout.block) else {
      throw failure("whose rows are not those of a tensor of shape \(shape)")
    }
  }

  /// Whether codes of an element may be stored in a type.
  private func mayHold(_ element: ElementFormat, _ type: StoredType) -> Bool {
    switch coding {
    case .floats, .tensorScale: return type.floatEncoding != nil
    case .offsetWords: return type == .plain(.i32)
    case .plane, .highNibbleFirst, .bytes, .tiles128x4: break
    }
    let own: TensorDType? =
      switch element {
      case .fp32: .f32
      case .fp16: .f16
      case .bf16: .bf16
      case .e4m3fn: .f8E4M3
      case .e5m2: .f8E5M2
      case .e8m0fnu: .f8E8M0
      default: nil
      }
    guard type != own.map(StoredType.plain) else { return true }
    return element.bitWidth <= 8 && [.plain(.u8), .plain(.i8), .plain(.u32)].contains(type)
  }

  /// Whether the rows of what is stored are those of the tensor; what is stored flat has none.
  private func hasRows(
    of shape: [Int], _ stored: [Int], isScale: Bool, _ block: BlockShape
  ) -> Bool {
    let outer = shape.dropLast()
    switch (coding, block) {
    case (.tiles128x4, _), (.tensorScale, _), (_, .run): return true
    // The shapes of these scales decided what a block is.
    case (_, .row) where isScale, (_, .tile) where isScale, (_, .tensor) where isScale: return true
    // gpt-oss has an axis for the bytes of a block.
    default: return stored.dropLast() == outer || !isScale && stored.dropLast(2) == outer
    }
  }
}
