import BlockFormats
import CBlockKernels

@testable import QuantizedLinearAlgebra

/// A caller's matrix: numbers of a type, with gaps between rows, at any byte.
final class CallerMemory {
  let type: ScalarType
  let rowCount: Int
  let columnCount: Int
  let stride: Int
  private let memory: UnsafeMutableRawPointer
  private let base: UnsafeMutableRawPointer
  private let byteCount: Int

  private static let gap: UInt8 = 0xA5

  init(
    _ values: [Float], as type: ScalarType = .float32, rowCount: Int, columnCount: Int,
    gap: Int = 0, offset: Int = 0
  ) {
    (self.type, self.rowCount, self.columnCount) = (type, rowCount, columnCount)
    stride = columnCount + gap
    byteCount = offset + rowCount * stride * type.byteCount
    memory = .allocate(byteCount: max(byteCount, 1), alignment: 64)
    memory.initializeMemory(as: UInt8.self, repeating: Self.gap, count: byteCount)
    base = memory + offset
    for row in 0..<rowCount {
      let part = Array(values[row * columnCount..<(row + 1) * columnCount])
      Self.kernels.narrow(type.code, part, columnCount, address(row))
    }
  }

  deinit { memory.deallocate() }

  private static let kernels = bk_kernels(BK_PORTABLE).pointee

  private func address(_ row: Int) -> UnsafeMutableRawPointer {
    base + row * stride * type.byteCount
  }

  /// How the numbers lie.
  var layout: MatrixLayout {
    MatrixLayout(type, rowCount: rowCount, columnCount: columnCount, stride: stride)
  }

  /// The bytes of the numbers and of the gaps between them.
  var bytes: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: base, count: layout.byteCount)
  }

  /// As an operand.
  var rows: MatrixRows {
    MatrixRows(base, layout)
  }

  /// As a result.
  var target: MutableMatrixRows {
    MutableMatrixRows(base, layout)
  }

  /// The numbers as they became in their type.
  var values: [Float] {
    (0..<rowCount).flatMap { row in
      var part = [Float](repeating: 0, count: columnCount)
      Self.kernels.widen(type.code, address(row), columnCount, &part)
      return part
    }
  }

  var tensor: Tensor { Tensor(values, shape: [rowCount, columnCount]) }

  /// Whether the bytes before the matrix and between rows are as they were.
  var hasIntactGaps: Bool {
    let bytes = UnsafeRawBufferPointer(start: memory, count: byteCount)
    let (offset, size) = (base - memory, type.byteCount)
    return bytes.indices.allSatisfy { index in
      index >= offset && (index - offset) % (stride * size) < columnCount * size
        || bytes[index] == Self.gap
    }
  }

  /// Numbers rounded to a type and back, NaN canonical.
  static func rounded(_ values: [Float], to type: ScalarType) -> [Float] {
    CallerMemory(values, as: type, rowCount: 1, columnCount: values.count).values
  }
}

extension QuantizedMatrix {
  init(_ memory: CallerMemory, _ format: any BlockFormat, _ policy: EncodingPolicy? = nil) {
    self.init(memory.tensor, format: format, policy: policy)
  }
}

extension [Float] {
  var bits: [UInt32] { map(\.bitPattern) }
}
