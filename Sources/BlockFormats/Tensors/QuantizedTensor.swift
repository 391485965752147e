/// A tensor in a block format: packed element codes, scales and sub-scales.
///
/// The stored bytes are, in this order and without gaps: the code plane (rows of the tensor's last
/// axis), the scale plane (rows of the last axis of `scaleShape`), the sub-scale plane, and the
/// FP32 tensor scale, little-endian. `BitPlane` defines the bit order inside a plane.
public struct QuantizedTensor: Sendable {
  /// The block format.
  public let format: any BlockFormat
  /// The choices that were followed.
  public internal(set) var policy: EncodingPolicy
  /// The tensor's shape.
  public let shape: [Int]
  /// The axis that blocks run along, counted from the front.
  public let axis: Int
  /// The element codes.
  public internal(set) var codes: BitPlane
  /// The block scales, empty where the format has none.
  public internal(set) var scales: BitPlane
  /// The sub-scales, empty where the format has none.
  public internal(set) var subscales: BitPlane
  /// The FP32 decode multiplier of the tensor, for formats that have one.
  public internal(set) var tensorScale: Float?
  /// Events counted while encoding; empty for a tensor read from storage.
  public internal(set) var tally: EncodingTally

  let grid: BlockGrid

  init(
    format: any BlockFormat, policy: EncodingPolicy, axis: Int, grid: BlockGrid,
    planes: QuantizedPlanes, tensorScale: Float?, tally: EncodingTally
  ) {
    self.format = format
    self.policy = policy
    self.axis = BlockGrid.normalized(axis: axis, rank: grid.shape.count)
    self.grid = grid
    shape = grid.shape
    codes = planes.codes
    scales = planes.scales
    subscales = planes.subscales
    self.tensorScale = tensorScale
    self.tally = tally
  }

  /// The number of elements.
  public var elementCount: Int { grid.elementCount }

  /// The number of blocks.
  public var blockCount: Int { grid.blockCount }

  /// The shape of the codes: the tensor's, but for formats with a fixed number of codes a block.
  public var codeShape: [Int] { shape.isEmpty ? [] : grid.codes.shape }

  /// The shape of the scales: the tensor's, with the block axis divided by the block length and
  /// rounded up; `[1]` for one scale of the whole tensor; `nil` without scales.
  public var scaleShape: [Int]? { grid.scales?.shape }

  /// The shape of the sub-scales; `nil` without sub-scales.
  public var subscaleShape: [Int]? { grid.subscales?.shape }

  /// The number of stored bytes.
  public var storedByteCount: Int {
    codes.bytes.count + scales.bytes.count + subscales.bytes.count + (tensorScale == nil ? 0 : 4)
  }

  /// Stored bits for an element, scales and padding included; NaN without elements.
  public var bitsPerElement: Double {
    elementCount == 0 ? .nan : Double(8 * storedByteCount) / Double(elementCount)
  }

  /// All stored bytes.
  public var storedBytes: [UInt8] {
    var bytes = codes.bytes + scales.bytes + subscales.bytes
    if let tensorScale {
      bytes += (0..<4).map { UInt8(truncatingIfNeeded: tensorScale.bitPattern >> (8 * $0)) }
    }
    return bytes
  }

  /// Decodes the tensor.
  ///
  /// The values depend on the stored bytes alone, not on `parallelism`.
  public func dequantized(parallelism: Parallelism = .allCores) -> Tensor {
    func decode<Format: BlockFormat>(_ format: Format) -> Tensor {
      // The policy is for the record, whatever it says; kernels like the default one best.
      let quantizer = Quantizer(
        format: format, shape: shape, axis: axis, policy: nil, parallelism: parallelism)
      return Tensor(shape: shape) { quantizer.decode(self, into: $0, as: .float32) }
    }
    return decode(format)
  }
}

/// The packed planes of a quantized tensor.
struct QuantizedPlanes {
  var codes: BitPlane
  var scales: BitPlane
  var subscales: BitPlane

  /// Planes of zeros.
  init(grid: BlockGrid, layout: BlockLayout) {
    func plane(_ field: BlockGrid.Field?, _ width: Int?) -> BitPlane {
      BitPlane(
        rowCount: field?.rowCount ?? 0, rowLength: field?.rowLength ?? 0, bitWidth: width ?? 8)
    }
    codes = plane(grid.codes, layout.element.bitWidth)
    scales = plane(grid.scales, layout.scale?.bitWidth)
    subscales = plane(grid.subscales, layout.subscale?.bitWidth)
  }
}
