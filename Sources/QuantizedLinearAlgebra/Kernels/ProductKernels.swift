import BlockFormats
internal import CBlockKernels
internal import CKernelLevels
internal import CProductKernels
import CallerChecks

/// The kernels of one level: those of products, and those that unpack codes.
struct ProductKernels: Sendable {
  /// Tables of constants that live as long as the program.
  nonisolated(unsafe) let products: UnsafePointer<BKProductKernels>
  nonisolated(unsafe) let blocks: UnsafePointer<BKKernels>

  /// - Precondition: the machine supports the level.
  init(_ level: KernelLevel = .best) {
    let code = BKLevel(rawValue: numericCast(level.number))
    products = bk_product_kernels(code)
    blocks = bk_kernels(code)
    require(products.pointee.level == code, "no kernels for level \(level.id)")
  }

  /// Whether integers of 8 bits multiply quicker once they are widened to 16.
  var prefersInt16: Bool { products.pointee.prefers_int16 }

  /// Whether 8-bit integers multiply quickest with sums of 16 bits, where their ranges allow these.
  var prefersRuns: Bool { products.pointee.prefers_runs }

  /// Whether an instruction flushes the BF16 unit's sums by itself.
  var flushesFreely: Bool { products.pointee.flushes_freely }

  /// The columns of a panel.
  static let panelColumns = Int(BK_PANEL)
}

extension ProductUnit {
  var code: BKUnit {
    switch self {
    case .int8: BK_INT8
    case .int16: BK_INT16
    case .bfloat16: BK_BFLOAT16_DOT
    case .float32: BK_FLOAT32_FMA
    }
  }
}

extension ScalarType {
  /// The type in the kernels' interface.
  var code: BKScalar {
    switch self {
    case .float32: BK_FLOAT32
    case .float16: BK_FLOAT16
    case .bfloat16: BK_BFLOAT16
    }
  }
}
