import CallerChecks

/// Elements between -1 and 1 in groups of 64 whose largest magnitudes are stored in eight bits
/// themselves, 256 to a block: bitsandbytes' double quantization.
///
/// A block is a run of 16384 elements of the flattened tensor. It stores a code of the table for each
/// element, a code of `ElementFormat.dynamic8` for each group, and an FP32 number n; the tensor stores an
/// FP32 number o. With T the values of `dynamic8`, every step one FP32 operation:
///
/// - A group of code c has the scale a = fl(fl(T[c] · n) + o), and a value decodes to fl(q · a).
///
/// That is bitsandbytes' own arithmetic, to the last bit. Encoding:
///
/// 1. o is the mean of amax over all groups of the tensor, amax over finite values: added in Double in the
///    order of the groups, divided once, and rounded to FP32.
/// 2. n is the largest magnitude of d = fl(amax - o) among the block's groups.
/// 3. c is nearest to d / n in T, a tie going to the even code; the code of 0 where n = 0. While a is not
///    finite, the next lower code.
/// 4. r = fl(1 / max(amax, 10^-38)), and code = element of fl(x · r), by the policy's rounding, as
///    `AbsmaxFormat` has it: elements are encoded under the exact amax, not under a.
///
/// Codes of elements are bitsandbytes'. The three numbers above them need not be: it adds the mean in
/// FP32, in an order of its own, and finds codes by another search, so that o may differ in its last bit
/// and a few c by one. Where groups differ much, a small one may get a scale of zero or of the other sign,
/// as there.
///
/// A NaN block stores n as NaN and zeros.
///
/// Source: Dettmers et al., "QLoRA", NeurIPS 2023, section 3; bitsandbytes 0.50
/// (`compress_statistics=True`).
public struct NestedAbsmaxFormat: ComposedFormat, Hashable {
  /// The canonical id.
  public let id: String
  /// The defining document.
  public let source: String
  /// What the format stores.
  public let layout: BlockLayout
  /// The choices made where the caller states none.
  public var defaultPolicy: EncodingPolicy

  /// The largest magnitudes are stored.
  public var scaleRules: [ScaleRule] { [.amax] }

  /// Creates a format.
  ///
  /// - Parameters:
  ///   - id: the canonical id.
  ///   - source: the defining document.
  ///   - element: a table whose largest magnitude is one.
  public init(id: String, source: String, element: ElementFormat) {
    require(
      element.greatestDecodableMagnitude == 1,
      "the largest magnitude of \(element) is \(element.greatestDecodableMagnitude), not 1")
    self.id = id
    self.source = source
    layout = BlockLayout(
      block: .run(length: Self.groupLength * Self.groupCount),
      fields: [
        .codes(element),
        StoredField("scales", .dynamic8, .every(Self.groupLength), role: .opaque),
        StoredField("nested_scales", .fp32, .perBlock(1), role: .opaque),
        StoredField("nested_offset", .fp32, .perTensor, role: .opaque),
      ])
    defaultPolicy = EncodingPolicy(scaleRule: .amax)
  }

  /// The places of the fields in the layout.
  enum Field {
    static let codes = 0
    static let scales = 1
    static let nested = 2
    static let offset = 3
  }

  /// The elements of a group.
  public static let groupLength = 64
  /// The groups of a block.
  public static let groupCount = 256

  private static let codeOfZero = ElementFormat.dynamic8.code(for: 0)

  private func group(_ index: Int, _ count: Int) -> Range<Int> {
    index * Self.groupLength..<min((index + 1) * Self.groupLength, count)
  }

  private func amax(_ index: Int, of values: Span<Float>) -> Float {
    ValueStatistics(values.extracting(group(index, values.count))).amax
  }

  /// The mean of the largest magnitudes of groups: step 1 of the definition above.
  public func tensorNumber(of values: Span<Float>, policy: EncodingPolicy) -> Float {
    let count = (values.count + Self.groupLength - 1) / Self.groupLength
    guard count > 0 else { return 0 }
    return Float((0..<count).reduce(0.0) { $0 + Double(amax($1, of: values)) } / Double(count))
  }

  /// Chooses the codes of groups and the number above them.
  public func encodeScale(
    of values: Span<Float>, statistics: ValueStatistics,
    context: borrowing EncodingContext, into fields: inout BlockFields
  ) {
    guard !context.policy.poisons(statistics, element: element) else {
      fields[Field.nested, 0] = Float.nan.bitPattern
      fields.fill(Field.scales, with: 0)
      return
    }
    let offset = Float(bitPattern: fields[Field.offset, 0])
    let distances = (0..<fields.count(of: Field.scales)).map { amax($0, of: values) - offset }
    let nested = distances.map(\.magnitude).max() ?? 0
    fields[Field.nested, 0] = nested.bitPattern
    for (index, distance) in distances.enumerated() {
      var code = Self.codeOfZero
      if nested > 0 { code = ElementFormat.dynamic8.code(for: Double(distance) / Double(nested)) }
      while code > 0, !scale(code, nested, offset).isFinite { code -= 1 }
      fields[Field.scales, index] = code
    }
  }

  /// a, the scale of a group.
  private func scale(_ code: UInt32, _ nested: Float, _ offset: Float) -> Float {
    Float(ElementFormat.dynamic8.value(of: code)) * nested + offset
  }

  /// Encodes the block's values under the largest magnitudes of their groups.
  public func encodeElements(
    of values: Span<Float>, context: borrowing EncodingContext,
    into fields: inout BlockFields
  ) {
    guard !Float(bitPattern: fields[Field.nested, 0]).isNaN else {
      fields.fill(Field.codes, with: 0)
      return
    }
    for index in 0..<fields.count(of: Field.scales) {
      let multiplier = 1 / max(amax(index, of: values), AbsmaxFormat.leastScale)
      for position in group(index, values.count) {
        fields[Field.codes, position] = context.code(
          for: Double(values[position].scaled(by: multiplier)), at: position, tally: &fields.tally)
      }
    }
  }

  /// Decodes the block.
  public func decode(
    _ fields: BlockFields, context: borrowing DecodingContext,
    into values: inout MutableSpan<Float>
  ) {
    let (nested, offset) = (
      Float(bitPattern: fields[Field.nested, 0]), Float(bitPattern: fields[Field.offset, 0])
    )
    for index in 0..<fields.count(of: Field.scales) {
      let factor = Float(context.value(of: fields[Field.scales, index], in: Field.scales))
      let scale = factor * nested + offset
      for position in group(index, values.count) {
        let element = Float(context.elementValue(of: fields[Field.codes, position]))
        values[position] = (element * scale).canonicalNaN
      }
    }
  }

  /// Formats are equal if their ids and layouts are, and their default choices.
  public static func == (a: NestedAbsmaxFormat, b: NestedAbsmaxFormat) -> Bool {
    a.isSame(as: b) && a.defaultPolicy == b.defaultPolicy
  }

  /// Hashes the id.
  public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

extension NestedAbsmaxFormat: ExplainedFormat {
  /// The formulas of the definition.
  public var steps: [String] {
    [
      ExactNumber.float32Steps,
      "o       = mean of amax over the groups of 64 of the tensor, added in Double",
      "n       = the largest |fl(amax - o)| of the block's 256 groups",
      "c       = dynamic8 of fl(amax - o) / n, to nearest",
      "scale a = fl(fl(dynamic8[c] * n) + o)",
      "r       = fl(1 / max(amax, 10^-38))",
      "code    = \(element.name) of fl(x * r), rounded"
        + (element.statesThresholds
          ? "; to nearest by the table's thresholds, which belong to the lower value" : ""),
      "decoded = fl(q * a)",
      "a NaN block stores n = NaN and codes 0",
    ]
  }

  /// fl(x · r).
  public func scaledValue(at position: Int, in block: ExplainedBlock) -> Double {
    let amax = amax(position / Self.groupLength, of: block.values.span)
    return Double(block.values[position].scaled(by: 1 / max(amax, AbsmaxFormat.leastScale)))
  }
}
