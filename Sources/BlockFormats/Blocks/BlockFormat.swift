/// A block format: how a tensor of FP32 values becomes narrow codes and shared scales, and back.
///
/// A conforming type states what it stores (`layout`), its default choices (`defaultPolicy`), and
/// four steps: the tensor's scale, a block's scale, a block's codes, and decoding. Gathering
/// blocks along any axis, tails, threads, packing, files, metrics, tables and tests are common to
/// all formats and follow from the layout.
///
/// Most formats need no new conformance: `SharedExponentFormat`, `TwoLevelFormat`,
/// `ScaledFormat` and `CastFormat` compose an element, a block shape, a scale and a rule.
///
/// The steps are the reference definition. They must depend only on their arguments, so that
/// every thread count and every kernel gives the same bytes.
public protocol BlockFormat: Sendable {
  /// The canonical id, which `FormatCatalog.format(id:)` parses back to an equal format.
  var id: String { get }

  /// The document that defines the format.
  var source: String { get }

  /// What the format stores.
  var layout: BlockLayout { get }

  /// The choices made where the caller states none.
  var defaultPolicy: EncodingPolicy { get }

  /// The scale rules that the format can follow.
  var scaleRules: [ScaleRule] { get }

  /// The scale of the whole tensor; only called when `layout.tensorScale` is not `.none`.
  ///
  /// - Parameters:
  ///   - statistics: of the whole tensor.
  ///   - policy: the choices to follow.
  func tensorScale(for statistics: ValueStatistics, policy: EncodingPolicy) -> TensorScale

  /// Chooses the scale and sub-scales of one block and stores them in `fields`.
  ///
  /// - Parameters:
  ///   - values: the block's values in row-major order. For a whole-tensor block, all of them.
  ///   - statistics: of the same values.
  ///   - context: policy, tensor scale and element indices.
  func encodeScale(
    of values: UnsafeBufferPointer<Float>, statistics: ValueStatistics,
    context: borrowing EncodingContext, into fields: inout BlockFields)

  /// Encodes the values of one block with the scale in `fields`, or a part of a whole-tensor block.
  func encodeElements(
    of values: UnsafeBufferPointer<Float>, context: borrowing EncodingContext,
    into fields: inout BlockFields)

  /// Decodes one block, or a part of a whole-tensor block.
  ///
  /// - Parameters:
  ///   - fields: scale, sub-scales and codes.
  ///   - context: tensor scale and value tables.
  ///   - values: receives the block's values; the last block of an axis may be short.
  func decode(
    _ fields: BlockFields, context: borrowing DecodingContext,
    into values: UnsafeMutableBufferPointer<Float>)
}

extension BlockFormat {
  /// No tensor scale: one.
  public func tensorScale(for statistics: ValueStatistics, policy: EncodingPolicy) -> TensorScale {
    TensorScale(encode: 1, decode: 1)
  }

  /// The element format of the codes.
  public var element: ElementFormat { layout.element }
}

/// The FP32 scale of a whole tensor.
public struct TensorScale: Hashable, Sendable {
  /// Multiplies while encoding.
  public var encode: Float
  /// Multiplies while decoding; this one is stored.
  public var decode: Float

  /// Creates a scale from both multipliers.
  public init(encode: Float, decode: Float) {
    self.encode = encode
    self.decode = decode
  }

  /// The scale with a given decode multiplier X; the encode multiplier is fl(1 / X).
  public init(decode: Float) {
    self.init(encode: 1 / decode, decode: decode)
  }
}

/// The stored fields of one block, as integers in the caller's scratch memory.
public struct BlockFields {
  /// The code of the block's scale in `layout.scale`.
  public var scale: UInt32
  /// One sub-scale for every sub-block of the block, the last one possibly short.
  public let subscales: UnsafeMutableBufferPointer<UInt32>
  /// The codes, as many as `layout.codes` says: one for every value, or a fixed number.
  public let codes: UnsafeMutableBufferPointer<UInt32>
  /// What a format hands from its scale step to its element step besides the stored scale, such as
  /// the exact encode multiplier; never stored.
  public var encodeMultiplier: Float = 1
  /// Events counted while encoding.
  public var tally = EncodingTally()

  /// Wraps scratch memory that outlives the fields.
  public init(
    scale: UInt32 = 0, subscales: UnsafeMutableBufferPointer<UInt32>,
    codes: UnsafeMutableBufferPointer<UInt32>
  ) {
    self.scale = scale
    self.subscales = subscales
    self.codes = codes
  }
}

/// What a format may use to encode a block besides its values.
public struct EncodingContext: ~Copyable {
  /// The choices to follow.
  public let policy: EncodingPolicy
  /// The tensor's scale, one where the format has none.
  public let tensorScale: TensorScale
  /// Where the block lies in the logical tensor.
  public var indices: ElementIndices
  let encoder: ElementEncoder
  /// Decodes candidates of a scale search.
  let decoding: DecodingContext

  init(layout: BlockLayout, policy: EncodingPolicy, tensorScale: TensorScale) {
    self.policy = policy
    self.tensorScale = tensorScale
    indices = ElementIndices(base: 0, .none)
    encoder = ElementEncoder(
      layout.element, rounding: policy.rounding, overflow: policy.overflow,
      nonFinite: policy.nonFinite)
    decoding = DecodingContext(layout: layout, tensorScale: tensorScale.decode)
  }

  /// The code of the element at a position of the block, for an already scaled value.
  @inline(__always)
  public func code(for scaled: Double, at position: Int, tally: inout EncodingTally) -> UInt32 {
    let index =
      if case .stochastic = policy.rounding { indices[position] } else { UInt64(0) }
    return encoder.code(for: scaled, index: index, tally: &tally)
  }
}

/// What a format may use to decode a block besides its fields.
public struct DecodingContext: ~Copyable {
  /// The tensor's decode multiplier, one where the format has none.
  public let tensorScale: Float
  let element: ElementDecoder
  private let scale: ElementDecoder?

  /// The value of an element code, before any scale.
  @inline(__always)
  public func elementValue(of code: UInt32) -> Double { element(code) }

  /// The value of a scale code, one where the format has no scale.
  public func scaleValue(of code: UInt32) -> Double { scale?(code) ?? 1 }

  init(layout: BlockLayout, tensorScale: Float) {
    self.tensorScale = tensorScale
    element = ElementDecoder(layout.element)
    scale = layout.scale.map(ElementDecoder.init)
  }
}

/// The row-major indices, in the logical tensor, of the elements of a block.
public struct ElementIndices: Hashable, Sendable {
  private let base: Int
  private let region: BlockGrid.Region

  init(base: Int, _ region: BlockGrid.Region) {
    self.base = base
    self.region = region
  }

  /// The index of the element at a position of the block.
  public subscript(position: Int) -> UInt64 {
    let (row, column) = position.quotientAndRemainder(dividingBy: region.columns)
    return UInt64(
      base + region.offset + row * region.rowStride + column * region.columnStride)
  }
}
