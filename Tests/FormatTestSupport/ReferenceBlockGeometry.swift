/// Where the blocks of a tensor lie, found by asking every element for its coordinates.
public struct ReferenceBlockGeometry: Sendable {
  /// The row-major element indices of each block, in the order of scales.
  public var blocks: [[Int]]
  /// The row-major element indices of each sub-block, in the order of sub-scales.
  public var subBlocks: [[Int]]
  public var scaleShape: [Int]
  public var subscaleShape: [Int]

  /// - Parameters:
  ///   - shape: of the tensor; a scalar counts as a vector of one element.
  ///   - axis: counted from the front.
  ///   - block: which elements share a scale.
  ///   - subLength: the elements of a sub-block.
  public init(
    shape: [Int], axis: Int, block: ReferenceBlockFormat.Shape, subLength: Int? = nil
  ) {
    let extents = shape.isEmpty ? [1] : shape
    var divisors = [Int](repeating: 1, count: extents.count)
    switch block {
    case .vector(let length): divisors[axis] = length
    case .row: divisors[axis] = max(extents[axis], 1)
    case .tile(let rows, let columns):
      divisors[extents.count - 1] = columns
      if extents.count > 1 { divisors[extents.count - 2] = rows }
    case .tensor: break
    }
    (blocks, scaleShape) = Self.group(extents, by: divisors)
    if block == .tensor {
      let all = Array(0..<extents.reduce(1, *))
      (blocks, scaleShape) = all.isEmpty ? ([], [0]) : ([all], [1])
    }
    guard let subLength else {
      (subBlocks, subscaleShape) = ([], [])
      return
    }
    divisors[axis] = subLength
    (subBlocks, subscaleShape) = Self.group(extents, by: divisors)
  }

  private static func group(_ extents: [Int], by divisors: [Int]) -> ([[Int]], [Int]) {
    let shape = zip(extents, divisors).map { ($0 + $1 - 1) / $1 }
    var groups = [[Int]](repeating: [], count: shape.reduce(1, *))
    for index in 0..<extents.reduce(1, *) {
      var rest = index
      var (group, weight) = (0, 1)
      for dimension in extents.indices.reversed() {
        let coordinate = rest % extents[dimension]
        rest /= extents[dimension]
        group += coordinate / divisors[dimension] * weight
        weight *= shape[dimension]
      }
      groups[group].append(index)
    }
    return (groups, shape)
  }
}

/// Packs codes one bit at a time: bit b of code i of a row is bit i·w + b of the row.
public enum ReferenceBlockPacking {
  /// The bytes of rows of codes; every row starts on a byte.
  public static func pack(_ codes: [UInt32], rowLength: Int, bitWidth: Int) -> [UInt8] {
    guard rowLength > 0 else { return [] }
    var bytes: [UInt8] = []
    for row in 0..<codes.count / rowLength {
      var line = [UInt8](repeating: 0, count: (rowLength * bitWidth + 7) / 8)
      for column in 0..<rowLength {
        for bit in 0..<bitWidth where codes[row * rowLength + column] >> UInt32(bit) & 1 == 1 {
          let position = column * bitWidth + bit
          line[position / 8] |= 1 << UInt8(position % 8)
        }
      }
      bytes += line
    }
    return bytes
  }
}

/// SplitMix64: reproducible test data without any generator of the code under test.
public struct ReferenceBlockRandom: RandomNumberGenerator {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A value with a random significand in a random binade of the range, or now and then a zero or
  /// a power of two or a neighbour of one.
  public mutating func float(exponents: ClosedRange<Int>) -> Float {
    let word = next()
    let sign: Float = word & 1 == 0 ? 1 : -1
    let span = UInt64(exponents.count)
    let exponent = exponents.lowerBound + Int((word >> 8) % span)
    let base = Float(ReferenceBlockElement.powerOfTwo(exponent))
    switch (word >> 1) & 31 {
    case 0: return sign * 0
    case 1: return sign * base
    case 2: return sign * base.nextDown
    case 3: return sign * base.nextUp
    case 4: return sign * base * (1 + Float((word >> 20) & 7) / 8)
    default: return sign * base * (1 + Float((word >> 40) & 0x7F_FFFF) / 8_388_608)
    }
  }
}
