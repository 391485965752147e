import BlockFormats
import Testing

#if os(macOS) || os(Linux)
/// Mistakes that would otherwise read or write outside a tensor's memory.
@Suite("Tensors: preconditions")
struct TensorPreconditionTests {
  @Test("Storage of another format with the same id is not decoded")
  func sharedID() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      func format(_ element: ElementFormat) -> SharedExponentFormat {
        SharedExponentFormat(
          id: "mine", source: "a test", element: element, block: .vector(length: 32))
      }
      let narrow = TensorQuantizer(format: format(.e2m1fn), shape: [64]).makeStorage()
      var values = [Float](repeating: 0, count: 64)
      values.withUnsafeMutableBytes {
        TensorQuantizer(format: format(.e4m3fn), shape: [64]).decode(narrow, into: $0)
      }
    }
    let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(message.contains("two formats of this id store different things"), "\(message)")
  }

  @Test("A recorded policy that the format cannot follow does not hinder decoding")
  func foreignPolicy() throws {
    let tensor = try QuantizedTensor(
      format: SharedExponentFormat.mxfp4, shape: [32],
      policy: EncodingPolicy(nonFinite: .element, scaleRule: .unscaled),
      codes: fieldCodes([UInt32](repeating: 2, count: 32), scales: [128]))
    #expect(tensor.dequantized().elements == [Float](repeating: 2, count: 32))
  }
}
#endif
