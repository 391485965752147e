import BlockFormats
internal import CBlockKernels
internal import CProductKernels

/// The right operand laid out in panels of columns, for products with many left operands.
struct Panels: Sendable {
  let layout: PanelLayout
  /// What the numbers of all matrices reach.
  private(set) var range = OperandRange()
  private var elements: AlignedBytes
  /// The scales of each panel, and what its layout says of offsets.
  private var numbers: AlignedBytes

  /// The bytes that multiplying reads.
  var byteCount: Int { elements.byteCount + numbers.byteCount }

  /// Elements of zero under scales of one, or any under scales of zero where there are none of zero.
  init(_ layout: PanelLayout) {
    self.layout = layout
    let panelCount = layout.batchCount * layout.panelCount
    let (scaleCount, numberCount) = (layout.panelScaleCount, layout.panelNumberCount)
    elements = AlignedBytes(byteCount: panelCount * layout.panelByteCount)
    if layout.zeroByte != 0 {
      let byteCount = elements.byteCount
      elements.withUnsafeMutableBytes {
        _ = $0.initializeMemory(as: UInt8.self, repeating: layout.zeroByte, count: byteCount)
      }
    }
    numbers = AlignedBytes(byteCount: 4 * panelCount * numberCount)
    let scale: Float = layout.row.narrow?.lacksZero == true ? 0 : 1
    numbers.withUnsafeMutableBytes {
      let numbers = $0.assumingMemoryBound(to: Float.self)
      for panel in 0..<panelCount {
        (numbers + panel * numberCount).initialize(repeating: scale, count: scaleCount)
      }
    }
  }

  // MARK: - Writing

  /// Lays out a quantized matrix, or a batch.
  mutating func fill(_ matrix: QuantizedMatrix, packer: RowPacker, parallelism: Parallelism) {
    range = write { $0.fill(matrix, packer: packer, parallelism: parallelism) }
  }

  /// Lays out rows of numbers, which are quantized band by band.
  mutating func fill(
    _ values: MatrixRows, bands: BandQuantizer, levels: TensorQuantizer.Levels,
    packer: RowPacker, parallelism: Parallelism
  ) {
    range = write {
      $0.fill(values, bands: bands, levels: levels, packer: packer, parallelism: parallelism)
    }
  }

  /// Lays out rows of numbers as they are.
  mutating func fill(
    _ values: MatrixRows, matrix: Int, kernels: ProductKernels, parallelism: Parallelism
  ) {
    write { $0.fill(values, matrix: matrix, kernels: kernels, parallelism: parallelism) }
  }

  private mutating func write<Result>(_ body: (PanelWriter) -> Result) -> Result {
    elements.withUnsafeMutableBytes { elements in
      numbers.withUnsafeMutableBytes { numbers in
        body(PanelWriter(layout, elements: elements, numbers: numbers))
      }
    }
  }

  // MARK: - Reading

  /// Lends the panels to the kernels.
  func withColumns<Result>(_ body: (Columns) -> Result) -> Result {
    elements.withUnsafeBytes { elements in
      numbers.withUnsafeBytes { numbers in
        body(
          Columns(
            layout: layout, elements: elements.assumingMemoryBound(to: UInt8.self),
            numbers: numbers.assumingMemoryBound(to: Float.self)))
      }
    }
  }

  /// The panels by their address.
  struct Columns: Sendable {
    let layout: PanelLayout
    /// Nobody writes while they are lent.
    nonisolated(unsafe) let elements: UnsafePointer<UInt8>
    nonisolated(unsafe) let numbers: UnsafePointer<Float>

    /// A panel, counted through the batch, as the kernels take it.
    func operand(_ panel: Int) -> BKColumns {
      let numbers = numbers + panel * layout.panelNumberCount
      return BKColumns(
        elements: elements + panel * layout.panelByteCount,
        scales: layout.row.unit == .float32 ? nil : numbers,
        middles: layout.middlePlace.map { numbers + $0 },
        sums: layout.sumPlace.map { numbers + $0 })
    }
  }
}
