/// A block format: how a tensor of FP32 values becomes narrow codes and shared scales, and back.
///
/// A conforming type states what it stores (`layout`), its default choices (`defaultPolicy`), and
/// four steps: the tensor's scale, a block's scale, a block's codes, and decoding. Gathering
/// blocks along any axis, tails, threads, packing, files, metrics, tables and tests are common to
/// all formats and follow from the layout.
///
/// Most formats need no new conformance: `SharedExponentFormat`, `TwoLevelFormat`, `ScaledFormat`,
/// `AbsmaxFormat`, `AffineFormat` and `CastFormat` compose an element, a block shape, a scale and a rule.
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

  /// Where producers put the stored bits of blocks.
  var packings: [BlockPacking] { get }

  /// Whether a choice of the policy can make a difference.
  func follows(_ aspect: PolicyAspect) -> Bool

  /// The scale of the whole tensor; only called when the layout has a field of the tensor.
  ///
  /// - Parameters:
  ///   - statistics: of the whole tensor.
  ///   - policy: the choices to follow.
  func tensorScale(for statistics: ValueStatistics, policy: EncodingPolicy) -> TensorScale

  /// Chooses what one block stores besides its elements, and stores it in `fields`.
  ///
  /// - Parameters:
  ///   - values: the block's values in row-major order. For a whole-tensor block, all of them where the
  ///     policy's scale rule `needsValues`, else none.
  ///   - statistics: of the same values.
  ///   - context: policy, tensor scale and element indices.
  ///   - fields: receives everything but the codes of the elements, which are free to use: one for
  ///     each of the values given.
  func encodeScale(
    of values: Span<Float>, statistics: ValueStatistics,
    context: borrowing EncodingContext, into fields: inout BlockFields)

  /// Encodes the values of one block with what is in `fields`, or a part of a whole-tensor block.
  func encodeElements(
    of values: Span<Float>, context: borrowing EncodingContext,
    into fields: inout BlockFields)

  /// Decodes one block, or a part of a whole-tensor block.
  ///
  /// - Parameters:
  ///   - fields: all that the block stores.
  ///   - context: tensor scale and value tables.
  ///   - values: receives the block's values; the last block of an axis may be short.
  func decode(
    _ fields: BlockFields, context: borrowing DecodingContext,
    into values: inout MutableSpan<Float>)
}

extension BlockFormat {
  /// None: producers store no other bytes than the library.
  public var packings: [BlockPacking] { [] }

  /// All but scale floor, zero block and scale arithmetic, which concern some formats with scales; the
  /// sign of zeros where elements have two.
  public func follows(_ aspect: PolicyAspect) -> Bool {
    switch aspect {
    case .scaleRule, .rounding, .overflow, .nonFinite: true
    case .zeroSign: element.hasNegativeZero
    case .scaleFloor, .zeroBlock, .scaleArithmetic: false
    }
  }

  /// No tensor scale: one.
  public func tensorScale(for statistics: ValueStatistics, policy: EncodingPolicy) -> TensorScale {
    TensorScale(encode: 1, decode: 1)
  }

  /// Whether another format is the same one: has the same id and stores the same things.
  ///
  /// Whoever composes formats may give two of them one id; what they store still differs.
  public func isSame(as other: any BlockFormat) -> Bool {
    id == other.id && layout == other.layout
  }

  /// The element format of the codes.
  public var element: ElementFormat { layout.element }
}
