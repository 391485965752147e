/// A set of processor instructions that kernels are compiled for.
///
/// A level is all or nothing: it is supported where the processor and the operating system offer
/// every instruction set that it names. Results never depend on the level.
public enum KernelLevel: String, Hashable, Sendable, CaseIterable {
  /// Portable C.
  case portable
  /// x86-64 with AVX2, FMA, F16C and BMI2.
  case avx2
  /// AVX2's, and AVX-512 F, BW, VL, DQ and VBMI.
  case avx512
  /// AVX-512 as above, and its VNNI and BF16 dot products.
  case avx512Dot = "avx512_dot"
  /// arm64 with Advanced SIMD.
  case neon
  /// Advanced SIMD with integer dot products.
  case neonDot = "neon_dot"

  /// The name in options and reports.
  public var id: String { rawValue }
}

/// Which implementation of the block formats runs.
package enum KernelSelection: Hashable, Sendable {
  /// The kernels of the highest level; the reference where a format or policy has none.
  case best
  /// The kernels of a level that the machine supports.
  case level(KernelLevel)
  /// The reference in Swift.
  case reference
}
