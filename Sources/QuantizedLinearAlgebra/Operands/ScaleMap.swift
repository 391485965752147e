import BlockFormats

/// How the block scales of a row become FP32 factors of groups, and offsets FP32 numbers.
struct ScaleMap: Sendable {
  /// Bits of a scale, 0 without scales.
  let width: Int
  /// Groups that share a scale.
  let groupsPerBlock: Int
  /// What all scales together reach, where that is narrow: no row needs a look at its own.
  let narrowRange: ScaleRange?
  private let element: ElementFormat?
  /// The factors of all codes of up to eight bits.
  private let table: [Float]

  /// - Parameter scale: how a block's number is stored; `nil` without.
  init(_ scale: ElementFormat?, groupLength: Int, blockLength: Int) {
    element = scale
    width = scale?.bitWidth ?? 0
    groupsPerBlock = max(1, (blockLength + groupLength - 1) / groupLength)
    if let scale {
      table = scale.bitWidth <= 8 ? scale.valueTable.map { Float($0) } : []
      let range = table.withUnsafeBufferPointer { ScaleRange($0) }
      narrowRange = scale.bitWidth <= 8 && range.isNarrow ? range : nil
    } else {
      table = []
      narrowRange = ScaleRange()
    }
  }

  /// Fills in the factors of `groupCount` groups from codes.
  func fill(
    _ factors: UnsafeMutablePointer<Float>, groupCount: Int, bytes codes: UnsafePointer<UInt8>
  ) {
    table.withUnsafeBufferPointer { table in
      if groupsPerBlock == 1 {
        for group in 0..<groupCount { factors[group] = table[Int(codes[group])] }
      } else {
        for group in 0..<groupCount { factors[group] = table[Int(codes[group / groupsPerBlock])] }
      }
    }
  }

  /// The same from codes of more than eight bits.
  func fill(
    _ factors: UnsafeMutablePointer<Float>, groupCount: Int, wide codes: UnsafePointer<UInt32>
  ) {
    guard let element else { return }
    for group in 0..<groupCount {
      let code = codes[group / groupsPerBlock]
      factors[group] =
        element == .fp32 ? Float(bitPattern: code) : Float(element.value(of: code))
    }
  }
}
