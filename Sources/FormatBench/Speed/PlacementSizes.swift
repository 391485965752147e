import BlockFormats

/// The shapes of the tensors that lie in the caches or in memory.
struct PlacementSizes: Sendable {
  /// The bytes of values that a thread works on in the second-level cache.
  var l2ByteCount: Int
  /// The bytes of values that all threads together work on in memory.
  var dramByteCount: Int
  /// The length of rows in the cache.
  var l2Columns = 1024
  /// The length of rows in memory.
  var dramColumns = 4096

  /// What is assumed of a machine that does not tell the size of its second-level cache.
  static let assumedL2ByteCount = 1 << 20
  /// What is assumed of a machine that does not tell the size of its largest cache.
  static let assumedLastLevelByteCount = 32 << 20

  /// Sizes given as they are.
  init(l2ByteCount: Int, dramByteCount: Int, l2Columns: Int = 1024, dramColumns: Int = 4096) {
    self.l2ByteCount = l2ByteCount
    self.dramByteCount = dramByteCount
    self.l2Columns = l2Columns
    self.dramColumns = dramColumns
  }

  /// The sizes for a machine.
  ///
  /// In the cache, values and an equally large result take half of the second level. In memory,
  /// the values alone take four times the largest cache, at least 2^24 and at most 2^26 FP32
  /// values, and not more than a sixteenth of the memory: values, result, stored bytes and those
  /// of the limit are held at once.
  init(_ machine: MachineFacts) {
    l2ByteCount = (machine.l2ByteCount ?? Self.assumedL2ByteCount) / 4
    let caches = 4 * (machine.lastLevelByteCount ?? Self.assumedLastLevelByteCount)
    var bytes = 1 << 26
    while bytes < min(caches, 1 << 28) { bytes *= 2 }
    while bytes > machine.memoryByteCount / 16 && bytes > 1 << 20 { bytes /= 2 }
    dramByteCount = bytes
  }

  /// The shape of the tensor at a placement: whole rows, at least one for each thread.
  func shape(_ placement: SpeedPlacement, threads: Int, input: ScalarType) -> [Int] {
    switch placement {
    case .l2:
      [threads * max(1, l2ByteCount / (l2Columns * input.byteCount)), l2Columns]
    case .dram:
      [max(threads, dramByteCount / (dramColumns * input.byteCount)), dramColumns]
    }
  }
}
