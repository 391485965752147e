import BlockFormats
import CommandLineToolkit
import QuantizedLinearAlgebra

/// The extents of a product Y = A · Bᵀ.
struct GemmShape: Hashable, Sendable, CustomStringConvertible {
  /// The rows of A and of Y.
  var rows: Int
  /// The rows of B: the columns of Y.
  var columns: Int
  /// The numbers that a dot product contracts.
  var depth: Int

  /// The most elements of a matrix.
  static let elementLimit = 1 << 28

  /// The most rows of A with which a product is as fast as B is read, so that bytes are told.
  static let mostReadingRows = 4

  /// Whether a product is as fast as B is read.
  var isReading: Bool { rows <= Self.mostReadingRows }

  /// Multiplications and additions of a product.
  var operationCount: Double { 2 * Double(rows) * Double(columns) * Double(depth) }

  /// As on the command line: `MxNxK`.
  var description: String { "\(rows)x\(columns)x\(depth)" }
}

/// The formats of the operands of a product.
struct GemmPair: Sendable, CustomStringConvertible {
  /// The format of A, into which a call quantizes FP32 numbers.
  var a: OperandFormat
  /// The format of B, which is quantized beforehand.
  var b: OperandFormat

  /// As on the command line: `A:B`, or one format for both.
  var description: String { a.id == b.id ? a.id : "\(a.id):\(b.id)" }
}

/// All that is measured in a run: every combination of these.
struct GemmPlan: Sendable {
  var shapes: [GemmShape]
  var pairs: [GemmPair]
  /// The levels whose kernels multiply.
  var levels = [KernelLevel.best]
  /// Whether rows tell their level.
  var showsLevel = false
  /// Numbers of threads, each at least 1.
  var threadCounts: [Int]
  /// How products are summed: kernels do it in FP32, everything else is the reference's.
  var accumulators = [Accumulator.float32]
  /// Whether rows tell the errors of the arithmetic alone.
  var showsProductErrors = false
  /// The seed of the operands.
  var seed: UInt64 = 0

  /// The number of rows.
  var rowCount: Int {
    let perPair = accumulators.reduce(0) {
      $0 + ($1 == .float32 ? levels.count * threadCounts.count : 1)
    }
    return shapes.count * pairs.count * perPair
  }

  /// Refuses pairs whose blocks do not fit each other at a shape, before anything is measured.
  func check() throws(CommandError) {
    for shape in shapes {
      for pair in pairs {
        do throws(ProductError) {
          _ = try ProductDefinition(a: pair.a, b: pair.b, depth: shape.depth)
        } catch {
          throw .usage("--formats: \(pair) at \(shape): \(error)")
        }
      }
    }
  }
}
