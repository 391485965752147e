import BlockFormats
internal import CBlockKernels
internal import CProductKernels
import NumericSupport

/// Packs rows of a quantized matrix into elements, factors and offsets as kernels read them.
struct RowPacker: Sendable {
  let layout: OperandLayout
  private(set) var elements: ElementMap
  let scales: ScaleMap
  /// The offsets of blocks, where the definition takes them.
  let offsets: ScaleMap
  /// The bytes of codes that stay codes; empty elsewhere.
  private(set) var bytesOfCodes: [Int8] = []
  let places: ScalePlaces
  let kernels: ProductKernels
  /// What stands behind the last element of a group.
  private let padding: Padding
  /// The exponent of the power of two that the elements count in.
  let unitExponent: Int

  /// Products of padding add nothing to a sum of BF16 products, which may be -0, if one factor is -0.
  private enum Padding {
    case zeros
    case negativeBFloat16Zeros
  }

  /// - Parameters:
  ///   - format: the operand's format.
  ///   - shape: the shape that its tensors have.
  ///   - unitExponent: the exponent of the operand's unit in the definition.
  init(
    format: some BlockFormat, shape: [Int], layout: OperandLayout,
    unitExponent: Int, kernels: ProductKernels
  ) {
    self.layout = layout
    self.kernels = kernels
    padding = layout.unit == .bfloat16 && layout.side == .rows ? .negativeBFloat16Zeros : .zeros
    places = ScalePlaces(format.layout, shape: shape)
    self.unitExponent = layout.narrow?.unitExponent ?? unitExponent
    elements = ElementMap(format.layout, as: layout, unitExponent: self.unitExponent)
    let linear = format.layout.linear
    scales = ScaleMap(
      linear?.factors.scale?.element, groupLength: layout.groupLength,
      blockLength: places.blockLength)
    offsets = ScaleMap(
      linear?.offset?.element, groupLength: layout.groupLength, blockLength: places.blockLength)
  }

  /// The same packer, but with codes of four bits, powers joined, in the place of integers.
  var keepingCodes: RowPacker {
    var packer = self
    packer.elements = elements.keepingCodes
    packer.bytesOfCodes = elements.nibbles ?? []
    return packer
  }

  /// Where a packed row goes.
  struct Target {
    /// `layout.rowByteCount` bytes.
    var elements: UnsafeMutableRawPointer
    /// `layout.groupCount` numbers.
    var scales: UnsafeMutablePointer<Float>
    /// `layout.offsetsPerGroup` for each.
    var offsets: UnsafeMutablePointer<Int32>?
    /// As many as scales, where blocks have an offset: the values of middle codes, or the offsets.
    var middles: UnsafeMutablePointer<Float>?
    /// As many, where the other operand's blocks have an offset: the sums of groups.
    var sums: UnsafeMutablePointer<Float>?
  }

  /// Packs a row.
  ///
  /// - Returns: what the row's numbers reach.
  func pack(
    _ row: Int, of planes: MatrixPlanes, into target: Target, scratch: PackingScratch
  ) -> OperandRange {
    let line = layout.isWide ? scratch.narrow : target.elements
    packElements(row, of: planes, into: line, scratch)
    let leastElement = leastElement(line)
    if layout.isWide {
      kernels.products.pointee.widen_bfloat16_row(
        line.assumingMemoryBound(to: UInt8.self), layout.narrowRowByteCount / 4,
        target.elements.assumingMemoryBound(to: UInt8.self))
    }
    if let offsets = target.offsets { fillOffsets(target, offsets) }
    let scaleRow = places.scaleRow(row)
    fill(target.scales, scales, planes.scales.row(scaleRow), scratch)
    if layout.narrow != nil && unitExponent != 0 { scaleByUnit(target.scales) }
    if let middles = target.middles {
      fill(middles, offsets, planes.offsets.row(scaleRow), scratch)
      if layout.middle != nil { finishMiddles(middles, target) }
    }
    if let sums = target.sums { fillSums(sums, target, scratch) }
    return OperandRange(scales: scaleRange(target), leastElement: leastElement)
  }

  // MARK: - Elements

  private func packElements(
    _ row: Int, of planes: MatrixPlanes, into elements: UnsafeMutableRawPointer,
    _ scratch: PackingScratch
  ) {
    let byteCount = layout.unit.elementByteCount
    let depth = layout.depth
    let line = layout.isDense ? elements : scratch.elements
    unpackPowers(row, of: planes, scratch)
    convert(planes.codes.row(row), into: line, scratch)
    let used = depth * byteCount
    if layout.isDense {
      pad(line + used, byteCount: layout.narrowRowByteCount - used)
      return
    }
    let group = layout.groupLength * byteCount
    pad(elements, byteCount: layout.narrowRowByteCount)
    for index in 0..<layout.groupCount {
      (elements + index * layout.narrowGroupByteCount).copyMemory(
        from: line + index * group, byteCount: min(group, used - index * group))
    }
  }

  private func pad(_ bytes: UnsafeMutableRawPointer, byteCount: Int) {
    switch padding {
    case .zeros:
      bytes.initializeMemory(as: UInt8.self, repeating: elements.zero, count: byteCount)
    case .negativeBFloat16Zeros:
      bytes.initializeMemory(as: UInt16.self, repeating: 0x8000, count: byteCount / 2)
    }
  }

  private func convert(
    _ packed: UnsafePointer<UInt8>, into line: UnsafeMutableRawPointer,
    _ scratch: PackingScratch
  ) {
    let depth = layout.depth
    let (blocks, products) = (kernels.blocks, kernels.products)
    let width = UInt32(elements.width)
    let powerLength = places.powerLength
    if case .copied = elements.way {
      line.copyMemory(from: packed, byteCount: 2 * depth)
      return
    }
    if case .general(let conversion) = elements.way {
      blocks.pointee.unpack_wide(packed, depth, width, scratch.wideCodes)
      let line = line.assumingMemoryBound(to: Int16.self)
      for index in 0..<depth {
        let power = powerLength > 0 ? Int(scratch.powers[index / powerLength]) : 0
        line[index] = conversion.bits(scratch.wideCodes[index], power: power)
      }
      return
    }
    blocks.pointee.unpack(packed, depth, width, scratch.codes)
    switch elements.way {
    case .int8(let values):
      joinPowers(scratch)
      products.pointee.map_int8(
        scratch.codes, depth, joinedWidth, values, line.assumingMemoryBound(to: Int8.self))
    case .int16(let values):
      joinPowers(scratch)
      products.pointee.map_int16(
        scratch.codes, depth, joinedWidth, values, line.assumingMemoryBound(to: Int16.self))
    case .scaledInt16(let values, let deepest):
      let line = line.assumingMemoryBound(to: Int16.self)
      products.pointee.map_int16(scratch.codes, depth, width, values, line)
      products.pointee.scale_int16(
        line, depth, powerLength, scratch.powers, UInt32(deepest))
    case .copied, .general: break
    }
  }

  private var joinedWidth: UInt32 { UInt32(elements.width + elements.powerWidth) }

  private func joinPowers(_ scratch: PackingScratch) {
    guard places.powerLength > 0 else { return }
    kernels.products.pointee.join_shifts(
      scratch.codes, layout.depth, places.powerLength, scratch.powers,
      UInt32(elements.width))
  }

  /// Unpacks the codes of powers of a row and adds up those that meet in the shortest parts.
  private func unpackPowers(_ row: Int, of planes: MatrixPlanes, _ scratch: PackingScratch) {
    guard let (shortest, plane) = planes.powers.last else { return }
    let count = (layout.depth + shortest.length - 1) / shortest.length
    kernels.blocks.pointee.unpack(
      plane.row(row), count, UInt32(shortest.bitWidth), scratch.powers)
    for (power, plane) in planes.powers.dropLast() {
      kernels.blocks.pointee.unpack(
        plane.row(row), (layout.depth + power.length - 1) / power.length, UInt32(power.bitWidth),
        scratch.codes)
      let parts = power.length / shortest.length
      for index in 0..<count { scratch.powers[index] += scratch.codes[index / parts] }
    }
  }

  private func fillOffsets(_ target: Target, _ offsets: UnsafeMutablePointer<Int32>) {
    let elements = target.elements.assumingMemoryBound(to: Int8.self)
    guard let runs = layout.runs else {
      kernels.products.pointee.group_offsets(
        elements, layout.rowByteCount, max(layout.groupByteCount, 1), offsets)
      return
    }
    kernels.products.pointee.run_offsets(
      elements, layout.groupCount, layout.wordCount, runs.wordCount, UInt32(runs.bias), offsets)
  }

  /// The least BF16 element, where it tells whether sums are flushed.
  private func leastElement(_ elements: UnsafeMutableRawPointer) -> UInt32 {
    if let narrow = layout.narrow { return narrow.leastElement }
    guard layout.seeksLeastElement else { return .max }
    return kernels.products.pointee.least_bfloat16(
      elements.assumingMemoryBound(to: UInt8.self), layout.narrowRowByteCount / 2)
  }

  // MARK: - Scales

  /// Fills in the numbers of groups from the packed codes of blocks; ones where blocks have none.
  private func fill(
    _ numbers: UnsafeMutablePointer<Float>, _ map: ScaleMap, _ packed: UnsafePointer<UInt8>,
    _ scratch: PackingScratch
  ) {
    let count = layout.groupCount
    guard map.width > 0 else {
      numbers.update(repeating: 1, count: count)
      return
    }
    let blocks = (count + map.groupsPerBlock - 1) / map.groupsPerBlock
    if map.width == 8 && map.groupsPerBlock == 1 {
      map.fill(numbers, groupCount: count, bytes: packed)
    } else if map.width <= 8 {
      kernels.blocks.pointee.unpack(packed, blocks, UInt32(map.width), scratch.codes)
      map.fill(numbers, groupCount: count, bytes: scratch.codes)
    } else {
      kernels.blocks.pointee.unpack_wide(packed, blocks, UInt32(map.width), scratch.wideCodes)
      map.fill(numbers, groupCount: count, wide: scratch.wideCodes)
    }
  }

  /// Gives scales the power of two that elements count in, where no scale of rows will have it.
  private func scaleByUnit(_ scales: UnsafeMutablePointer<Float>) {
    let unit = Float(sign: .plus, exponent: unitExponent, significand: 1)
    for group in 0..<layout.groupCount { scales[group] *= unit }
  }

  /// What the row's scales reach, where some of no account become ones.
  private func scaleRange(_ target: Target) -> ScaleRange {
    if let range = scales.narrowRange { return range }
    let count = layout.groupCount
    let factors = UnsafeBufferPointer(start: target.scales, count: count)
    let range = ScaleRange(factors)
    guard !range.isNarrow else { return range }
    // Blocks of zeros often have the smallest scale there is, and add zero with any other.
    for group in 0..<count
    where !ScaleRange.isNarrow(factors[group]) && factors[group].isFinite
      && factors[group].sign == .plus && isZero(group, target)
    {
      target.scales[group] = 1
    }
    return ScaleRange(factors)
  }

  /// Whether all elements of a group are zeros.
  private func isZero(_ group: Int, _ target: Target) -> Bool {
    // Negative zeros add nothing as well. Two's complement has none, codes of four bits may.
    let signs: UInt32 = layout.unit == .bfloat16 ? 0x8000_8000 : 0
    let zero = UInt32(elements.zero) * 0x0101_0101
    let words = target.elements + group * layout.groupByteCount
    for word in 0..<layout.wordCount
    where words.loadUnaligned(fromByteOffset: 4 * word, as: UInt32.self) & ~signs != zero {
      return false
    }
    return true
  }
}

/// Memory for what a row is while it is packed.
final class PackingScratch {
  let codes: UnsafeMutablePointer<UInt8>
  let powers: UnsafeMutablePointer<UInt8>
  let elements: UnsafeMutableRawPointer
  private let memory: AlignedMemory
  /// A row of BF16 elements before they become FP32 numbers.
  let narrow: UnsafeMutableRawPointer
  private lazy var wide = AlignedMemory(byteCount: 4 * count)
  private let count: Int

  init(_ layout: OperandLayout) {
    count = layout.depth + 64
    var cuts = MemoryCuts()
    let codesAt = cuts.cut(UInt8.self, count: count)
    let powersAt = cuts.cut(UInt8.self, count: count)
    // The widest elements are FP32 numbers.
    let elementsAt = cuts.cut(Float.self, count: count)
    let narrowAt = cuts.cut(UInt8.self, count: layout.isWide ? layout.narrowRowByteCount : 0)
    memory = AlignedMemory(byteCount: cuts.byteCount)
    narrow = memory.base + narrowAt
    codes = (memory.base + codesAt).assumingMemoryBound(to: UInt8.self)
    powers = (memory.base + powersAt).assumingMemoryBound(to: UInt8.self)
    elements = memory.base + elementsAt
  }

  /// For codes of more than eight bits.
  var wideCodes: UnsafeMutablePointer<UInt32> { wide.base.assumingMemoryBound(to: UInt32.self) }
}

/// The packed planes of a quantized matrix as rows of bytes.
struct MatrixPlanes {
  let codes: Plane
  let scales: Plane
  let offsets: Plane
  /// The fields of powers of two of parts of a block, in the order of the layout.
  let powers: [(FactorLayout.Power, Plane)]

  struct Plane {
    let base: UnsafePointer<UInt8>
    let bytesPerRow: Int
    func row(_ index: Int) -> UnsafePointer<UInt8> { base + index * bytesPerRow }
  }

  /// Runs `body` with the planes of a tensor.
  static func with<Result>(
    _ tensor: QuantizedTensor, _ body: (MatrixPlanes) -> Result
  ) -> Result {
    let nothing: StaticString = ""
    let linear = tensor.format.layout.linear
    /// Runs a step with the plane of a field; planes without bytes are never read.
    func with<Value>(_ field: Int?, _ step: (Plane) -> Value) -> Value {
      guard let field else { return step(Plane(base: nothing.utf8Start, bytesPerRow: 0)) }
      let plane = tensor.planes[field]
      // Runs follow each other through the tensor: those of a row, where rows are whole runs.
      var bytesPerRow = plane.bytesPerRow
      if case .run(let length) = tensor.format.layout.block {
        let stored = tensor.format.layout.fields[field]
        let columns = tensor.shape.last ?? 0
        let count = stored.extent == .everyElement ? columns : columns / length
        bytesPerRow = count * stored.element.bitWidth / 8
      }
      return plane.bytes.withUnsafeBufferPointer {
        step(Plane(base: $0.baseAddress ?? nothing.utf8Start, bytesPerRow: bytesPerRow))
      }
    }
    /// Runs a step with the planes of some fields of powers.
    func with<Value>(
      _ powers: ArraySlice<FactorLayout.Power>, _ step: ([(FactorLayout.Power, Plane)]) -> Value
    ) -> Value {
      guard let first = powers.first else { return step([]) }
      return with(first.field) { plane in
        with(powers.dropFirst()) { step([(first, plane)] + $0) }
      }
    }
    return with(0) { codes in
      with(linear?.factors.scale?.field) { scales in
        with(linear?.offset?.field) { offsets in
          with(linear?.factors.powers[...] ?? []) { powers in
            body(MatrixPlanes(codes: codes, scales: scales, offsets: offsets, powers: powers))
          }
        }
      }
    }
  }
}
