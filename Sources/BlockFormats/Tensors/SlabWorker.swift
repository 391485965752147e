/// Scratch memory for the unpacked fields of one slab, reused from slab to slab.
struct SlabScratch: ~Copyable {
  private(set) var codes: UnsafeMutableBufferPointer<UInt32>
  private(set) var scales: UnsafeMutableBufferPointer<UInt32>
  private(set) var subscales: UnsafeMutableBufferPointer<UInt32>
  /// One block, gathered: its values, codes and sub-scales.
  private(set) var blockValues: UnsafeMutableBufferPointer<Float>
  private(set) var blockCodes: UnsafeMutableBufferPointer<UInt32>
  private(set) var blockSubscales: UnsafeMutableBufferPointer<UInt32>

  init(codes: Int, scales: Int, subscales: Int, gathers: Bool) {
    self.codes = .allocate(capacity: codes)
    self.scales = .allocate(capacity: scales)
    self.subscales = .allocate(capacity: subscales)
    blockValues = .allocate(capacity: gathers ? codes : 0)
    blockCodes = .allocate(capacity: gathers ? codes : 0)
    blockSubscales = .allocate(capacity: gathers ? subscales : 0)
    self.codes.initialize(repeating: 0)
    self.scales.initialize(repeating: 0)
    self.subscales.initialize(repeating: 0)
    blockValues.initialize(repeating: 0)
    blockCodes.initialize(repeating: 0)
    blockSubscales.initialize(repeating: 0)
  }

  deinit {
    codes.deallocate()
    scales.deallocate()
    subscales.deallocate()
    blockValues.deallocate()
    blockCodes.deallocate()
    blockSubscales.deallocate()
  }
}

/// Encodes and decodes slabs on one thread: gathers blocks, calls the format, scatters its fields.
struct SlabWorker<Format: BlockFormat>: ~Copyable {
  let format: Format
  let grid: BlockGrid
  let levels: TensorLevels
  var context: EncodingContext
  var scratch: SlabScratch
  var tally = EncodingTally()

  init(
    format: Format, grid: BlockGrid, levels: TensorLevels, context: consuming EncodingContext
  ) {
    self.format = format
    self.grid = grid
    self.levels = levels
    self.context = context
    // The first slab is never smaller than any other.
    let largest = grid.slab(0)
    scratch = SlabScratch(
      codes: largest.codes.count, scales: largest.scales.count,
      subscales: largest.subscales.count,
      gathers: !grid.region(0, of: largest).isContiguous)
  }

  // MARK: - Encoding

  /// Encodes a slab of the whole tensor's values into the scratch fields.
  mutating func encode(_ slab: BlockGrid.Slab, from tensor: UnsafeBufferPointer<Float>) {
    let values = UnsafeBufferPointer(rebasing: tensor[slab.base..<slab.base + slab.count])
    for block in 0..<slab.blockCount {
      let region = grid.region(block, of: slab)
      context.indices = ElementIndices(
        base: slab.base + region.offset, columns: region.columns, rowStride: region.rowStride,
        columnStride: region.columnStride)
      var fields = fields(of: region)
      if region.isContiguous {
        encode(
          UnsafeBufferPointer(
            rebasing: values[region.offset..<region.offset + region.columns]), block, &fields)
      } else {
        let gathered = UnsafeMutableBufferPointer(rebasing: scratch.blockValues[..<region.count])
        region.gather(from: values, into: gathered)
        encode(UnsafeBufferPointer(gathered), block, &fields)
        region.scatter(UnsafeBufferPointer(fields.codes), into: scratch.codes)
        for index in 0..<region.subscaleCount {
          scratch.subscales[region.subscaleOffset + index * region.subscaleStride] =
            fields.subscales[index]
        }
      }
      tally += fields.tally
    }
  }

  private mutating func encode(
    _ values: UnsafeBufferPointer<Float>, _ block: Int, _ fields: inout BlockFields
  ) {
    if let shared = levels.blockScale {
      fields.scale = shared.scale
      fields.encodeMultiplier = shared.encodeMultiplier
    } else {
      format.encodeScale(
        of: values, statistics: ValueStatistics(values), context: context, into: &fields)
      if !scratch.scales.isEmpty { scratch.scales[block] = fields.scale }
    }
    format.encodeElements(of: values, context: context, into: &fields)
  }

  /// The scratch fields of a block: in place where it is contiguous, else in the block buffers.
  private func fields(of region: BlockGrid.Region) -> BlockFields {
    guard region.isContiguous else {
      return BlockFields(
        subscales: UnsafeMutableBufferPointer(
          rebasing: scratch.blockSubscales[..<region.subscaleCount]),
        codes: UnsafeMutableBufferPointer(rebasing: scratch.blockCodes[..<region.count]))
    }
    let first = region.subscaleCount == 0 ? 0 : region.subscaleOffset
    return BlockFields(
      subscales: UnsafeMutableBufferPointer(
        rebasing: scratch.subscales[first..<first + region.subscaleCount]),
      codes: UnsafeMutableBufferPointer(
        rebasing: scratch.codes[region.offset..<region.offset + region.columns]))
  }

  // MARK: - Decoding

  /// Decodes the scratch fields of a slab into the whole tensor's values.
  ///
  /// - Returns: the number of blocks whose values all equal those of `original`; 0 without one.
  mutating func decode(
    _ slab: BlockGrid.Slab, into tensor: UnsafeMutableBufferPointer<Float>,
    comparingWith original: UnsafeBufferPointer<Float>?
  ) -> Int {
    let output = UnsafeMutableBufferPointer(rebasing: tensor[slab.base..<slab.base + slab.count])
    var exactBlocks = 0
    for block in 0..<slab.blockCount {
      let region = grid.region(block, of: slab)
      var fields = fields(of: region)
      fields.scale =
        levels.blockScale?.scale ?? (scratch.scales.isEmpty ? 0 : scratch.scales[block])
      if region.isContiguous {
        format.decode(
          fields, context: context.decoding,
          into: UnsafeMutableBufferPointer(
            rebasing: output[region.offset..<region.offset + region.columns]))
      } else {
        region.gather(from: UnsafeBufferPointer(scratch.codes), into: fields.codes)
        for index in 0..<region.subscaleCount {
          fields.subscales[index] =
            scratch.subscales[region.subscaleOffset + index * region.subscaleStride]
        }
        let decoded = UnsafeMutableBufferPointer(rebasing: scratch.blockValues[..<region.count])
        format.decode(fields, context: context.decoding, into: decoded)
        region.scatter(UnsafeBufferPointer(decoded), into: output)
      }
      if let original, isExact(region, slab.base, UnsafeBufferPointer(output), original) {
        exactBlocks += 1
      }
    }
    return exactBlocks
  }

  private func isExact(
    _ region: BlockGrid.Region, _ base: Int, _ decoded: UnsafeBufferPointer<Float>,
    _ original: UnsafeBufferPointer<Float>
  ) -> Bool {
    for row in 0..<region.rows {
      for column in 0..<region.columns {
        let offset = region.offset + row * region.rowStride + column * region.columnStride
        let (x, y) = (original[base + offset], decoded[offset])
        if x != y && !(x.isNaN && y.isNaN) { return false }
      }
    }
    return true
  }
}

extension BlockGrid.Region {
  /// Copies the region's elements of a slab, in row-major order.
  func gather<Element>(
    from slab: UnsafeBufferPointer<Element>, into block: UnsafeMutableBufferPointer<Element>
  ) {
    var position = 0
    for row in 0..<rows {
      var source = offset + row * rowStride
      for _ in 0..<columns {
        block[position] = slab[source]
        position += 1
        source += columnStride
      }
    }
  }

  /// The inverse of `gather`.
  func scatter<Element>(
    _ block: UnsafeBufferPointer<Element>, into slab: UnsafeMutableBufferPointer<Element>
  ) {
    var position = 0
    for row in 0..<rows {
      var target = offset + row * rowStride
      for _ in 0..<columns {
        slab[target] = block[position]
        position += 1
        target += columnStride
      }
    }
  }
}
