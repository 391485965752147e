/// An array in a member of an archive.
struct NpzEntry: Sendable {
  let member: ZipMember
  let array: NpyArray

  /// Where the elements lie in the file, or the whole member where it is compressed.
  var byteRange: Range<Int> {
    let stored = member.stored.range
    return switch member.method {
    case .stored: stored.lowerBound + array.data.lowerBound..<stored.upperBound
    case .deflated: stored
    }
  }

  /// Whether a part is read without the rest.
  var readsParts: Bool { member.method == .stored && array.isRowMajor }

  /// The memory that the bytes take while elements are read of them.
  var heldByteCount: Int {
    switch member.method {
    case .stored: 0
    case .deflated: member.byteCount
    }
  }

  /// The bytes to read all elements of, with their checksum checked.
  func whole() throws(TensorFileError) -> any ByteSource {
    switch member.method {
    case .stored:
      try member.verify()
      return member.stored
    case .deflated: return try member.contents()
    }
  }

  /// The bytes to read some elements of.
  func part() throws(TensorFileError) -> any ByteSource {
    readsParts ? member.stored : try whole()
  }
}
