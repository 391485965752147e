/// The packed planes that kernels read and write: those of a `KernelLayout`.
struct KernelPlanes: @unchecked Sendable {
  let codes: UnsafePlane
  /// Block scales; without bytes where there are none.
  let scales: UnsafePlane
  /// Microexponents; without bytes where there are none.
  let subscales: UnsafePlane
  /// Offsets of blocks; without bytes where there are none.
  let offsets: UnsafePlane
  /// Bits that double parts, those of the longest and of the shortest; without bytes where there are none.
  let doublings: (outer: UnsafePlane, inner: UnsafePlane)
}

extension UnsafePlane {
  /// A plane that a layout does not have.
  static let absent = UnsafePlane(
    BitPlane(rowCount: 0, rowLength: 0, bitWidth: 8),
    over: UnsafeMutableBufferPointer(start: nil, count: 0))
}
