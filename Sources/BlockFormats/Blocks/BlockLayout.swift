import CallerChecks

/// What a block format stores, as data: everything packing, sizes and file layouts need.
///
/// Stored tensors keep one plane of codes for each field, in the order of `fields`.
public struct BlockLayout: Hashable, Sendable {
  /// The elements that make a block.
  public var block: BlockShape { storage.block }
  /// What is stored, the codes of the elements first.
  public var fields: [StoredField] { storage.fields }
  /// The field that holds an FP32 factor of the whole tensor, its scale; `nil` where there is none.
  public var tensorField: Int? { storage.tensorField }
  /// The field that holds an FP32 number of the whole tensor of which only the format knows what it does;
  /// `nil` where there is none.
  public var numberField: Int? { storage.numberField }
  /// The layout as factors; `nil` where it stores anything else.
  package var factors: FactorLayout? {
    guard let linear, linear.offset == nil else { return nil }
    return linear.factors
  }
  /// The layout as factors and at most one offset a block; `nil` where it stores anything else.
  package var linear: LinearLayout? { storage.linear }

  /// One object, since every call of a quantizer copies layouts and asks for what follows from them.
  private let storage: Storage

  private final class Storage: Sendable {
    let block: BlockShape
    let fields: [StoredField]
    let tensorField: Int?
    let numberField: Int?
    let linear: LinearLayout?

    init(_ block: BlockShape, _ fields: [StoredField]) {
      self.block = block
      self.fields = fields
      tensorField = fields.firstIndex { $0.extent == .perTensor && $0.role == .factor }
      numberField = fields.firstIndex { $0.extent == .perTensor && $0.role != .factor }
      linear = LinearLayout(fields)
    }
  }

  /// Creates a layout.
  ///
  /// - Parameters:
  ///   - block: the elements that make a block.
  ///   - fields: `codes`: those of the elements, one for each or a fixed number for each block (the
  ///     coefficients of a generator), and then what else is stored.
  /// - Precondition: block lengths of 1...2^20; fields of different names; fields of every n
  ///   elements only in vectors and runs whose length n divides; counts of at least 1; a fixed number
  ///   of codes in the place of elements only in vectors and runs; at most one field of the tensor, in
  ///   FP32, a factor or opaque, and opaque only where a block is not the whole tensor.
  public init(block: BlockShape, fields: [StoredField]) {
    BlockLayout.check(block)
    require(
      fields.first?.name == "codes",
      "the first field of a layout is '\(fields.first?.name ?? "")', not 'codes'")
    for (index, field) in fields.enumerated() {
      require(
        !fields[..<index].contains { $0.name == field.name },
        "two fields of a layout are called \(field.name)")
      BlockLayout.check(field, of: block, isFirst: index == 0)
    }
    require(
      fields.count { $0.extent == .perTensor } <= 1, "a layout with two numbers of the tensor")
    storage = Storage(block, fields)
  }

  private static func check(_ block: BlockShape) {
    switch block {
    case .vector(let length), .run(let length):
      require(
        BlockShape.extents.contains(length), "a block of \(length) elements is outside 1...2^20")
    case .tile(let rows, let columns):
      require(
        BlockShape.extents.contains(rows) && BlockShape.extents.contains(columns),
        "a block of \(rows)x\(columns) elements is outside 1...2^20")
    case .row, .tensor: break
    }
  }

  private static func check(_ field: StoredField, of block: BlockShape, isFirst: Bool) {
    require(
      !field.name.isEmpty && field.name != "packed"
        && field.name.utf8.allSatisfy {
          (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
        },
      "a field called '\(field.name)', not of a-z, 0-9 and '_', or called as files call the codes")
    let isLine =
      switch block {
      case .vector, .run: true
      case .row, .tile, .tensor: false
      }
    switch field.extent {
    case .everyElement: break
    case .every(let length):
      require(!isFirst, "\(field.name): the first field holds the codes of the elements")
      require(length >= 1, "\(field.name): one code for every \(length) elements")
      require(isLine, "\(field.name): parts of blocks need vectors or runs, not \(block.id)")
      require(
        (block.elementCount ?? 0) % length == 0,
        "\(field.name): \(length) elements do not divide a block of \(block.id)")
    case .perBlock(let count):
      require(
        count >= 1 && (!isFirst || isLine),
        "\(field.name): \(count) codes for each block of \(block.id) cannot be stored")
    case .perTensor:
      require(!isFirst, "\(field.name): the first field holds the codes of the elements")
      require(
        field.element == .fp32 && field.role != .offset
          && (field.role == .factor || block != .tensor),
        "\(field.name): a number of the tensor is FP32, and a factor or opaque, not \(field.role) in "
          + "\(field.element) beside blocks of \(block.id)")
    }
  }

  /// The format of the elements' codes.
  public var element: ElementFormat { fields[0].element }

  /// The place of a field in `fields`.
  public func index(of name: String) -> Int? { fields.firstIndex { $0.name == name } }

  /// Layouts are equal if they store the same.
  public static func == (a: BlockLayout, b: BlockLayout) -> Bool {
    a.storage === b.storage || (a.block == b.block && a.fields == b.fields)
  }

  /// Hashes what is stored.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(block)
    hasher.combine(fields)
  }

  /// Whether scales depend on all values of a tensor.
  package var needsStatistics: Bool {
    tensorField != nil || numberField != nil || block == .tensor
  }

  /// Stored bits for an element in full blocks of a large tensor.
  ///
  /// What rows and the tensor store is not counted, since its share depends on the shape;
  /// `QuantizedTensor.bitsPerElement` counts the bytes of an actual tensor.
  public var nominalBitsPerElement: Double {
    fields.reduce(0) { bits, field in
      switch field.extent {
      case .everyElement: bits + Double(field.bitWidth)
      case .every(let length): bits + Double(field.bitWidth) / Double(length)
      case .perBlock(let count):
        bits + (block.elementCount.map { Double(field.bitWidth * count) / Double($0) } ?? 0)
      case .perTensor: bits
      }
    }
  }
}

extension BlockLayout {
  /// Whether one FP32 number of a block that spans the tensor is all that scales it.
  package var hasOneFloat32Scale: Bool {
    guard block == .tensor, let factors else { return false }
    return factors.tensorField == nil && factors.scale?.element == .fp32
  }

  /// The codes of each field that a block of some elements has.
  func codeCounts(ofBlock elementCount: Int) -> [Int] {
    fields.map { field in
      switch field.extent {
      case .everyElement: elementCount
      case .every(let length): (elementCount + length - 1) / length
      case .perBlock(let count): count
      case .perTensor: 1
      }
    }
  }
}
