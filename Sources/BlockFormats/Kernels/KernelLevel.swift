internal import CKernelLevels

internal import class Foundation.ProcessInfo

/// A set of processor instructions that kernels are compiled for.
///
/// A level is all or nothing: it is supported where the processor and the operating system offer
/// every instruction set that it names. Results never depend on the level.
///
/// Cases are those of the kernels' own list, `BK_LEVELS`, in its order.
///
/// The environment variable `BLOCKFORMATS_KERNEL_LEVEL` lowers the level in use to the one whose id
/// it holds, in this spelling; it cannot raise it. With any other text the highest level is in use,
/// and `Request` tells what was asked for.
public enum KernelLevel: String, Hashable, Sendable, CaseIterable {
  /// Portable C.
  case portable
  /// x86-64 with AVX2, FMA, F16C and BMI2.
  case avx2
  /// AVX2's, and the dot products of AVX-VNNI.
  case avxVNNI = "avx_vnni"
  /// AVX2's, and AVX-512 F, BW, VL, DQ and VBMI.
  case avx512
  /// AVX-512 as above, and its VNNI and BF16 dot products.
  case avx512Dot = "avx512_dot"
  /// AVX-512 as above, and AMX's products of tiles of 8-bit integers, which Linux lets a process use.
  case avx512AMX = "avx512_amx"
  /// arm64 with Advanced SIMD.
  case neon
  /// Advanced SIMD with integer dot products.
  case neonDot = "neon_dot"
  /// The same, with products of matrices of 8-bit integers and multiply-adds of BF16 numbers.
  case neonMatrix = "neon_matrix"

  /// The name in options and reports.
  public var id: String { rawValue }

  /// The level in use.
  public static let best = KernelLevel(bk_best_level())

  /// The levels of this machine, the highest last.
  public static let supported = allCases.filter { bk_is_supported($0.code) }

  /// The number of the level in the kernels' interface.
  package var number: UInt32 { UInt32(code.rawValue) }

  var code: BKLevel {
    let number = KernelLevel.allCases.firstIndex(of: self) ?? 0
    return BKLevel(rawValue: numericCast(number))
  }

  init(_ code: BKLevel) { self = KernelLevel.allCases[Int(code.rawValue)] }
}

extension KernelLevel {
  /// What `BLOCKFORMATS_KERNEL_LEVEL` asks for.
  ///
  /// Results are the same at every level, so the library goes on at the highest one where the wish
  /// cannot be followed. A program that must not do so in silence looks here, as `fmtbench` does.
  public enum Request: Hashable, Sendable {
    /// The variable is not set, or empty.
    case none
    /// A level of this machine, which is the one in use.
    case level(KernelLevel)
    /// A level that this machine lacks.
    case unsupported(KernelLevel)
    /// No id of a level.
    case unknown(String)

    /// The name of the variable.
    public static let variable = "BLOCKFORMATS_KERNEL_LEVEL"

    /// What this process was asked for.
    public static let ofProcess = Request(ProcessInfo.processInfo.environment[variable])

    /// What a text in the variable asks for.
    public init(_ text: String?) {
      guard let text, !text.isEmpty else {
        self = .none
        return
      }
      guard let level = KernelLevel(rawValue: text) else {
        self = .unknown(text)
        return
      }
      self = KernelLevel.supported.contains(level) ? .level(level) : .unsupported(level)
    }
  }
}

/// Which implementation of the block formats runs.
package enum KernelSelection: Hashable, Sendable {
  /// The kernels of the level in use; the reference where a format or policy has none.
  case best
  /// The kernels of a level that the machine supports.
  case level(KernelLevel)
  /// The reference in Swift.
  case reference

  /// The kernels to run; `nil` for the reference.
  var kernels: Kernels? {
    switch self {
    case .best: return Kernels(.best)
    case .level(let level): return Kernels(level)
    case .reference: return nil
    }
  }
}
