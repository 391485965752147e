internal import CBlockKernels
internal import CKernelLevels
internal import CallerChecks

/// The kernels of one level: a table of functions over rows of memory.
struct Kernels: @unchecked Sendable {
  /// The table, which lives as long as the program.
  let table: UnsafePointer<BKKernels>

  /// The level that the table says it has.
  var level: KernelLevel { KernelLevel(table.pointee.level) }

  /// The kernels of a level.
  ///
  /// - Precondition: the machine supports the level.
  init(_ level: KernelLevel) {
    require(
      bk_is_supported(level.code),
      "this machine has no \(level.id) instructions; it has \(KernelLevel.supported.map(\.id))")
    table = bk_kernels(level.code)
    require(
      table.pointee.level == level.code,
      "the kernels for \(level.id) are those of level \(table.pointee.level.rawValue)")
  }
}
