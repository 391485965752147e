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
  /// The canonical id.
  ///
  /// `FormatCatalog.format(id:)` parses the ids of the package's own formats back to equal ones, as
  /// long as their elements and scales have standard names.
  var id: String { get }

  /// The document that defines the format.
  var source: String { get }

  /// What the format stores.
  var layout: BlockLayout { get }

  /// The choices made where the caller states none.
  var defaultPolicy: EncodingPolicy { get }

  /// The scale rules that the format can follow.
  var scaleRules: [ScaleRule] { get }

  /// The scale of the whole tensor; only called when `layout.tensorScale` is not `.absent`.
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
  ///   - fields: receives the scale and sub-scales; its codes are free to use.
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
