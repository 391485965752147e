import BlockFormats

/// Memory that products use and keep for the next one.
///
/// A workspace serves one product at a time. Products of the same shapes and formats allocate no
/// buffer or table after the first.
public final class ProductWorkspace {
  private var rows: PackedRows?
  private var workers: [Worker] = []
  private var bands: BandQuantizer?
  private var packer: (key: PackerKey, packer: RowPacker)?
  /// What the scales of each band reach.
  let ranges = AlignedMemory()

  /// Creates an empty workspace.
  public init() {}

  /// What the tables of a packer follow from.
  private struct PackerKey: Equatable {
    var layout: BlockLayout
    var shape: [Int]
    var operand: OperandLayout
    var unitExponent: Int
    var level: KernelLevel
  }

  func rows(_ layout: OperandLayout) -> PackedRows {
    if let rows, rows.layout == layout { return rows }
    let made = PackedRows(layout)
    rows = made
    return made
  }

  /// The memory of at least `count` workers.
  func workers(_ count: Int, _ layout: OperandLayout) -> [Worker] {
    if workers.count < count || workers.first?.layout != layout {
      workers = (0..<count).map { _ in Worker(layout) }
    }
    return workers
  }

  /// A packer of rows, with the tables of the one before if they are the same.
  func packer(
    _ format: some BlockFormat, shape: [Int], layout: OperandLayout, unitExponent: Int,
    level: KernelLevel
  ) -> RowPacker {
    let key = PackerKey(
      layout: format.layout, shape: shape, operand: layout, unitExponent: unitExponent,
      level: level)
    if let packer, packer.key == key { return packer.packer }
    let made = RowPacker(
      format: format, shape: shape, layout: layout, unitExponent: unitExponent,
      kernels: ProductKernels(level))
    packer = (key, made)
    return made
  }

  func bands(
    _ format: some BlockFormat, policy: EncodingPolicy, shape: [Int], kernels: KernelLevel
  ) -> BandQuantizer {
    if let bands, bands.fits(format, policy: policy, shape: shape) { return bands }
    let made = BandQuantizer(format, policy: policy, shape: shape, level: kernels)
    bands = made
    return made
  }

  /// The memory of one worker.
  final class Worker {
    let layout: OperandLayout
    let packing: PackingScratch
    /// A part of the result, where it is not FP32.
    let wide = AlignedMemory()
    /// A panel whose codes have become integers.
    let panel = AlignedMemory()
    /// The same in 16 bits.
    let widePanel = AlignedMemory()
    /// Rows of the caller's that do not follow each other.
    private let gathered = AlignedMemory()
    /// A band's codes and scales.
    private var storage: QuantizedTensor?

    init(_ layout: OperandLayout) {
      self.layout = layout
      packing = PackingScratch(layout)
    }

    /// The codes and scales of a band, in the memory of the one before where it has the same form.
    func quantize(
      _ band: MatrixRows, _ quantizer: TensorQuantizer, _ levels: TensorQuantizer.Levels
    ) -> QuantizedTensor {
      let values = band.denseBytes(gathering: gathered)
      // Taken out, so that its arrays have one owner and are written in place.
      var storage = self.storage.take() ?? quantizer.makeStorage()
      if storage.shape != quantizer.shape || !storage.format.isSame(as: quantizer.format) {
        storage = quantizer.makeStorage()
      }
      quantizer.encodeBand(values, as: band.type, levels: levels, into: &storage)
      self.storage = storage
      return storage
    }
  }
}
