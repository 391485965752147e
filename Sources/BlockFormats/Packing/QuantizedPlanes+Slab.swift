extension QuantizedTensor {
  /// Runs `body` with a writer that several threads may use for different slabs.
  mutating func withUnsafeWriter<Result>(_ body: (PlaneWriter) -> Result) -> Result {
    let layouts = (
      PlaneWriter.Plane(codes), PlaneWriter.Plane(scales), PlaneWriter.Plane(subscales)
    )
    return codes.bytes.withUnsafeMutableBufferPointer { codeBytes in
      scales.bytes.withUnsafeMutableBufferPointer { scaleBytes in
        subscales.bytes.withUnsafeMutableBufferPointer { subscaleBytes in
          body(
            PlaneWriter(
              codes: layouts.0.over(codeBytes), scales: layouts.1.over(scaleBytes),
              subscales: layouts.2.over(subscaleBytes)))
        }
      }
    }
  }
}

extension QuantizedTensor {
  /// Runs `body` with the planes, which it must only read.
  func withUnsafeReader<Result>(_ body: (PlaneWriter) -> Result) -> Result {
    func plane(_ plane: BitPlane, _ bytes: UnsafeBufferPointer<UInt8>) -> PlaneWriter.Plane {
      PlaneWriter.Plane(plane).over(UnsafeMutableBufferPointer(mutating: bytes))
    }
    return codes.bytes.withUnsafeBufferPointer { codeBytes in
      scales.bytes.withUnsafeBufferPointer { scaleBytes in
        subscales.bytes.withUnsafeBufferPointer { subscaleBytes in
          body(
            PlaneWriter(
              codes: plane(codes, codeBytes), scales: plane(scales, scaleBytes),
              subscales: plane(subscales, subscaleBytes)))
        }
      }
    }
  }
}

/// Packs the fields of slabs into the planes of a tensor.
///
/// Slabs start and end on byte boundaries of every plane, so different slabs touch different bytes.
struct PlaneWriter: @unchecked Sendable {
  let codes: Plane
  let scales: Plane
  let subscales: Plane

  struct Plane {
    let bitWidth: Int
    let rowLength: Int
    let bytesPerRow: Int
    var bytes = UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)

    init(_ plane: BitPlane) {
      bitWidth = plane.bitWidth
      rowLength = plane.rowLength
      bytesPerRow = plane.bytesPerRow
    }

    func over(_ bytes: UnsafeMutableBufferPointer<UInt8>) -> Plane {
      var plane = self
      plane.bytes = bytes
      return plane
    }

    func store(_ fields: UnsafeMutableBufferPointer<UInt32>, _ range: BlockGrid.PlaneRange) {
      for (part, row) in range.rows.enumerated() {
        let span = BitPlane.byteRange(
          row: row, columns: range.columns, bytesPerRow: bytesPerRow, bitWidth: bitWidth)
        let width = range.columns.count
        BitPacking.pack(
          UnsafeBufferPointer(rebasing: fields[part * width..<(part + 1) * width]),
          bitWidth: bitWidth, into: UnsafeMutableBufferPointer(rebasing: bytes[span]))
      }
    }
  }

  func store(_ scratch: borrowing SlabScratch, of slab: BlockGrid.Slab) {
    codes.store(scratch.codes, slab.codes)
    scales.store(scratch.scales, slab.scales)
    subscales.store(scratch.subscales, slab.subscales)
  }

  func storeWholeTensorScale(_ scale: UInt32) {
    withUnsafePointer(to: scale) {
      BitPacking.pack(
        UnsafeBufferPointer(start: $0, count: 1), bitWidth: scales.bitWidth, into: scales.bytes)
    }
  }
}

extension BitPlane {
  /// The bytes of consecutive codes of a row that start on a byte boundary.
  static func byteRange(
    row: Int, columns: Range<Int>, bytesPerRow: Int, bitWidth: Int
  ) -> Range<Int> {
    let start = row * bytesPerRow
    return start + columns.lowerBound * bitWidth / 8..<start + (columns.upperBound * bitWidth + 7)
      / 8
  }

  /// Unpacks a rectangle whose rows start on byte boundaries.
  func load(_ range: BlockGrid.PlaneRange, into fields: UnsafeMutableBufferPointer<UInt32>) {
    bytes.withUnsafeBufferPointer { bytes in
      for (part, row) in range.rows.enumerated() {
        let span = BitPlane.byteRange(
          row: row, columns: range.columns, bytesPerRow: bytesPerRow, bitWidth: bitWidth)
        let width = range.columns.count
        BitPacking.unpack(
          UnsafeBufferPointer(rebasing: bytes[span]), bitWidth: bitWidth,
          into: UnsafeMutableBufferPointer(rebasing: fields[part * width..<(part + 1) * width]))
      }
    }
  }
}

extension QuantizedTensor {
  /// Unpacks the fields of a slab into scratch memory.
  func load(_ slab: BlockGrid.Slab, into scratch: borrowing SlabScratch) {
    codes.load(slab.codes, into: scratch.codes)
    scales.load(slab.scales, into: scratch.scales)
    subscales.load(slab.subscales, into: scratch.subscales)
  }
}
