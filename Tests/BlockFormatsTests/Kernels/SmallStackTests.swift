import BlockFormats
import Foundation
import Testing

@Suite("Kernels on small stacks")
struct SmallStackTests {
  /// Compilers give kernels that are not optimised frames of hundreds of kilobytes.
  #if DEBUG
  private static let stackSize = 1 << 20
  #else
  private static let stackSize = 64 << 10
  #endif

  /// Runs `body` on a thread of its own with a small stack.
  private func onSmallStack(_ body: @escaping @Sendable () -> Void) async {
    await withCheckedContinuation { continuation in
      let thread = Thread {
        body()
        continuation.resume()
      }
      thread.stackSize = Self.stackSize
      thread.start()
    }
  }

  @Test(
    "Rows and panels are encoded, decoded and quantized on a stack of 64 KiB, or 1 MiB in debug builds"
  )
  func threads() async throws {
    for id in ["mxfp4", "mx9", "nvfp4", "nvfp4_2d", "fp8_e4m3_tensor", "int8_row", "hif4", "bf16"] {
      let format = try FormatCatalog.format(id: id)
      for (shape, axis) in [([3, 4128], -1), ([33, 300], 0)] {
        let values = (0..<shape[0] * shape[1]).map { Float($0 % 97 - 48) }
        let expected = Tensor(values, shape: shape).fakeQuantized(
          to: format, axis: axis, parallelism: .threads(1)
        ).tensor.elements
        await onSmallStack {
          let quantizer = TensorQuantizer(
            format: format, shape: shape, axis: axis, parallelism: .threads(1))
          var storage = quantizer.makeStorage()
          values.withUnsafeBytes { quantizer.encode($0, into: &storage) }
          var decoded = [Float](repeating: 0, count: values.count)
          decoded.withUnsafeMutableBytes { quantizer.decode(storage, into: $0) }
          #expect(decoded == expected, "\(id) \(shape)")
          decoded = values
          decoded.withUnsafeMutableBytes {
            _ = quantizer.fakeQuantize(UnsafeRawBufferPointer($0), into: $0)
          }
          #expect(decoded == expected, "\(id) \(shape) in place")
        }
      }
    }
  }
}
