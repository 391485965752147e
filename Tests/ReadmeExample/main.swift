// The README's examples, one below the other, which shows that they compile so.
// swift-format-ignore-file: OrderedImports

import BlockFormats
import FormatMetrics

let x = Tensor((0..<1024).map { Float($0 % 97) - 48.3 }, shape: [8, 128])
var policy = SharedExponentFormat.mxfp4.defaultPolicy
policy.scaleRule = .powerOfTwo(.rceil)
let q = x.quantized(to: .mxfp4, axis: -1, policy: policy)
let y = q.dequantized()
let errors = ErrorStatistics(original: x.elements, reconstruction: y.elements)
print("\(q.storedBytes.count) bytes, \(q.bitsPerElement) bits an element")
print("QSNR \(errors.qsnr) dB, gain \(errors.gain), largest error \(errors.maxAbsoluteError)")

let quantizer = TensorQuantizer(format: TwoLevelFormat.nvfp4, shape: [8, 128])
var stored = quantizer.makeStorage()
x.elements.withUnsafeBytes { quantizer.encode($0, tensorScale: 0.01, into: &stored) }
var halves = [UInt16](repeating: 0, count: 1024)
halves.withUnsafeMutableBytes { quantizer.decode(stored, into: $0, as: .bfloat16) }

import QuantizedLinearAlgebra

let w = Tensor((0..<64 * 128).map { Float($0 % 89) - 44.1 }, shape: [64, 128])
let weights = QuantizedMatrix(w, format: .mxfp4)
let layer = try PreparedMatrix(weights, for: .quantized(.mxfp8E4M3))
var product = try layer.product(x)
layer.multiply(x, into: &product)
