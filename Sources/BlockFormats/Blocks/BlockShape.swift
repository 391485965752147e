import CallerChecks

/// Which elements of a tensor share one scale.
///
/// Blocks never cross the end of the axis they run along; a tail that the block length does not
/// divide is a shorter block.
public enum BlockShape: Hashable, Sendable {
  /// `length` neighbours along the block axis.
  case vector(length: Int)
  /// All elements along the block axis ("per row", "per channel").
  case row
  /// `rows` x `columns` elements of the last two axes; leading axes are batches. The block axis
  /// has no part in it.
  case tile(rows: Int, columns: Int)
  /// The whole tensor.
  case tensor

  /// The number of elements in a full block; `nil` where the tensor decides.
  public var elementCount: Int? {
    switch self {
    case .vector(let length): length
    case .tile(let rows, let columns): rows * columns
    case .row, .tensor: nil
    }
  }

  /// The shape's name in ids and reports, such as `32`, `row`, `16x16`.
  public var id: String {
    switch self {
    case .vector(let length): "\(length)"
    case .row: "row"
    case .tile(let rows, let columns): "\(rows)x\(columns)"
    case .tensor: "tensor"
    }
  }

  /// The shape that a text names; extents of 1 to 2^20.
  init?(id: String) {
    func extent(_ text: some StringProtocol) -> Int? {
      guard let value = Int(text), (1...1 << 20).contains(value) else { return nil }
      return value
    }
    let parts = id.split(separator: "x", omittingEmptySubsequences: false)
    switch (id, parts.count) {
    case ("row", _): self = .row
    case ("tensor", _): self = .tensor
    case (_, 1):
      guard let length = extent(id) else { return nil }
      self = .vector(length: length)
    case (_, 2):
      guard let rows = extent(parts[0]), let columns = extent(parts[1]) else { return nil }
      self = .tile(rows: rows, columns: columns)
    default: return nil
    }
  }
}

/// What a block format stores, as data: everything packing, sizes and file layouts need.
public struct BlockLayout: Hashable, Sendable {
  /// The format of the element codes.
  public var element: ElementFormat
  /// How many codes a block has.
  public var codes: CodeCount
  /// The elements that share a scale.
  public var block: BlockShape
  /// The format of the stored block scales; `nil` where there is no scale.
  public var scale: ElementFormat?
  /// The second level inside a block; `nil` where there is none.
  public var subscale: SubscaleLayout?
  /// Whether one FP32 scale of the whole tensor is stored.
  public var tensorScale: TensorScaleLayout

  /// How many codes a block stores.
  public enum CodeCount: Hashable, Sendable {
    /// One for every element.
    case onePerElement
    /// The same number for every block, whatever its length: coefficients of a generator.
    case perBlock(Int)
  }

  /// Whether a tensor stores a scale of its own besides those of its blocks.
  public enum TensorScaleLayout: Hashable, Sendable {
    /// No tensor scale.
    case absent
    /// One FP32 decode multiplier.
    case float32
  }

  /// Creates a layout.
  ///
  /// - Precondition: block lengths of 1...2^20; sub-blocks only inside vector blocks whose length
  ///   they divide; a fixed number of codes, at least 1, only for vector blocks.
  public init(
    element: ElementFormat, codes: CodeCount = .onePerElement, block: BlockShape,
    scale: ElementFormat?, subscale: SubscaleLayout? = nil, tensorScale: TensorScaleLayout = .absent
  ) {
    switch block {
    case .vector(let length):
      require(
        (1...1 << 20).contains(length), "a block of \(length) elements is outside 1...2^20")
      if let subscale {
        require(
          length % subscale.length == 0,
          "sub-blocks of \(subscale.length) do not divide a block of \(length)")
      }
    case .tile(let rows, let columns):
      require(
        (1...1 << 20).contains(rows) && (1...1 << 20).contains(columns),
        "a block of \(rows)x\(columns) elements is outside 1...2^20")
      require(subscale == nil, "sub-blocks need vector blocks, not \(rows)x\(columns) tiles")
    case .row, .tensor:
      require(subscale == nil, "sub-blocks need vector blocks")
    }
    if case .perBlock(let count) = codes {
      guard case .vector = block, count >= 1 else {
        refuse("\(count) codes for each block of \(block.id) cannot be stored")
      }
    }
    self.element = element
    self.codes = codes
    self.block = block
    self.scale = scale
    self.subscale = subscale
    self.tensorScale = tensorScale
  }

  /// Whether a block can store a scale of zero, so that `ScaleFloor` makes a difference.
  public var canStoreZeroScale: Bool {
    guard let scale else { return false }
    return scale != .fp32 && scale.hasZero
  }

  /// Whether a block of zeros can store different scales, so that `ZeroBlockRule` makes a
  /// difference: FP32 scales of such blocks are one.
  public var hasZeroBlockChoice: Bool { scale != nil && scale != .fp32 }

  /// Stored bits for an element in full blocks of a large tensor.
  ///
  /// Scales of rows and of the tensor are not counted, since their share depends on the shape;
  /// `QuantizedTensor.bitsPerElement` counts the bytes of an actual tensor.
  public var nominalBitsPerElement: Double {
    var bits = Double(element.bitWidth)
    if case .perBlock(let codes) = codes, let count = block.elementCount {
      bits *= Double(codes) / Double(count)
    }
    if let scale, let count = block.elementCount { bits += Double(scale.bitWidth) / Double(count) }
    if let subscale { bits += Double(subscale.bitWidth) / Double(subscale.length) }
    return bits
  }
}

/// Shared microexponents: each sub-block of a block lowers the block's exponent by its sub-scale.
public struct SubscaleLayout: Hashable, Sendable {
  /// The elements that share a sub-scale, k2 of the BDR paper.
  public var length: Int
  /// The bits of a sub-scale, d2 of the BDR paper.
  public var bitWidth: Int

  /// Creates a sub-scale layout.
  ///
  /// - Precondition: at least one element and 1...8 bits.
  public init(length: Int, bitWidth: Int) {
    require(length >= 1, "a sub-block of \(length) elements cannot exist")
    require((1...8).contains(bitWidth), "\(bitWidth) sub-scale bits are outside 1...8")
    self.length = length
    self.bitWidth = bitWidth
  }
}
