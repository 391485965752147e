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

  /// Whether elements of a unit multiply quicker once they are widened.
  func widens(_ unit: ProductUnit) -> Bool {
    switch unit {
    case .int8: products.pointee.prefers_int16
    case .bfloat16: !flushesFreely
    case .int16, .float32: false
    }
  }

  /// Whether 8-bit integers multiply quickest with sums of 16 bits, where their ranges allow these.
  var prefersRuns: Bool { products.pointee.prefers_runs }

  /// Whether an instruction computes the BF16 unit, flushing included.
  var flushesFreely: Bool { products.pointee.flushes_freely }

  /// The columns of a panel.
  static let panelColumns = Int(BK_PANEL)
}

extension OperandLayout {
  /// The unit of the kernels that multiplies such rows.
  var kernelUnit: BKUnit {
    if runs != nil { return BK_INT8_RUNS }
    return isWide ? BK_BFLOAT16_WIDE : unit.code
  }
}

extension ProductUnit {
  fileprivate var code: BKUnit {
    switch self {
    case .int8: BK_INT8
    case .int16: BK_INT16
    case .bfloat16: BK_BFLOAT16_DOT
    case .float32: BK_FLOAT32_FMA
    }
  }
}

extension NarrowElements.Form {
  /// The form in the kernels' interface.
  var code: BKCodeForm {
    switch self {
    case .codes: BK_NIBBLES
    case .bytes: BK_BYTES
    case .halves: BK_HALVES
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
