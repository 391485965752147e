/// Memory for the codes of a block by itself.
struct BlockScratch: ~Copyable {
  private let parts: UnsafeMutablePointer<UnsafeMutableBufferPointer<UInt32>>
  private let fieldCount: Int

  /// Memory of zeros.
  ///
  /// - Parameter counts: the codes of each field.
  init(counts: [Int]) {
    fieldCount = counts.count
    parts = .allocate(capacity: counts.count)
    for (index, count) in counts.enumerated() { (parts + index).initialize(to: .zeros(count)) }
  }

  deinit {
    for index in 0..<fieldCount { parts[index].deallocate() }
    parts.deallocate()
  }

  /// The codes, as a format sees them.
  var fields: BlockFields { BlockFields(parts: parts, fieldCount: fieldCount) }
}

extension UnsafeMutableBufferPointer where Element: ExpressibleByIntegerLiteral {
  static func zeros(_ count: Int) -> Self {
    let buffer = allocate(capacity: count)
    buffer.initialize(repeating: 0)
    return buffer
  }
}
