// The README's examples, one below the other, which shows that they compile so.
// swift-format-ignore-file: OrderedImports

import BlockFormats
import FormatMetrics

let x = Tensor((0..<1024).map { Float($0 % 97) - 48.3 }, shape: [8, 128])
let q = x.quantized(to: .mxfp4.with { $0.scaleRule = .powerOfTwo(.rceil) })
let y = q.dequantized()
let errors = ErrorStatistics(original: x.elements, reconstruction: y.elements)
print("\(q.storedBytes.count) bytes, \(q.bitsPerElement) bits an element")
print("QSNR \(errors.qsnr) dB, gain \(errors.gain), largest error \(errors.maxAbsoluteError)")

func rounded(_ values: [Float]) -> [UInt16] {
  let quantizer = TensorQuantizer(format: .nvfp4, shape: [8, 128])
  var stored = quantizer.makeStorage()
  quantizer.encode(values.span, tensorScale: 0.01, into: &stored)
  var halves = [UInt16](repeating: 0, count: values.count)
  var span = halves.mutableSpan
  var bytes = span.mutableBytes
  quantizer.decode(stored, into: &bytes, as: .bfloat16)
  return halves
}

import QuantizedLinearAlgebra

let w = Tensor((0..<64 * 128).map { Float($0 % 89) - 44.1 }, shape: [64, 128])
let weights = QuantizedMatrix(w, format: .mxfp4)
let layer = try PreparedMatrix(weights, for: .quantized(.mxfp8E4M3))
var product = try layer.product(x)
layer.multiply(x, into: &product)
