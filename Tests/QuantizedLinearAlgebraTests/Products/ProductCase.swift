import BlockFormats
import FormatTestSupport
import Testing

@testable import QuantizedLinearAlgebra

/// A pair of operand formats.
struct FormatPair: CustomTestStringConvertible, Sendable {
  let a: any BlockFormat
  let b: any BlockFormat
  var testDescription: String { "\(a.id) x \(b.id)" }

  /// Pairs that reach every unit, width of code, kind of scale and grouping.
  static let all: [FormatPair] = [
    ("mxfp4", "mxfp4"), ("mxint8", "mxint8"), ("mxint8_full", "mxint8_full"),
    ("mxfp6_e2m3", "mxfp6_e2m3"), ("mxfp6_e3m2", "mxfp6_e3m2"), ("mxfp8_e4m3", "mxfp8_e4m3"),
    ("mxfp8_e5m2", "mxfp8_e4m3"), ("mxfp4", "mxfp8_e4m3"), ("mxfp4", "mxint8"),
    ("mxfp6_e2m3", "mxfp6_e3m2"), ("nvfp4", "nvfp4"), ("nvfp4", "nvfp4_2d"),
    ("nvfp4_4over6", "nvfp4"), ("nvfp4", "mxfp4"), ("mx9", "mx9"), ("mx6", "mx6"),
    ("mx4", "mx4"), ("mx9", "mx6"), ("mx9", "mxfp8_e4m3"), ("msfp12", "msfp12"),
    ("msfp16", "msfp12"), ("fp8_e4m3_tensor", "fp8_e4m3_tensor"),
    ("fp8_e4m3_row", "fp8_e4m3_row"), ("fp8_e4m3_1x128", "fp8_e4m3_128x128"),
    ("fp8_e5m2_tensor", "fp8_e4m3_tensor"), ("int8_row", "int8_row"),
    ("int8_tensor", "int4_1x32"), ("int4_1x32", "int2_1x32"), ("vsq", "vsq"), ("bf16", "bf16"),
    ("bf16", "mxfp4"), ("fp16", "fp16"), ("mxfp4(block=6)", "mxfp4(block=3)"),
    ("bdr(m=9,k1=8,k2=4,d1=8,d2=2)", "mx9"),
    ("mx(element=float(e=8,m=3),block=16)", "mxfp4"), ("hif4", "hif4"), ("hif4", "mxfp4"),
    ("mx9", "hif4"), ("hif4", "mxfp8_e4m3"),
  ].map { FormatPair(a: format($0.0), b: format($0.1)) }

  /// Pairs in which an operand has an offset for each block, or takes ggml's integers.
  static let offsets: [FormatPair] = [
    ("affine4", "affine4"), ("mxint8", "affine4"), ("affine8", "mxfp4"), ("q8_0", "q4_1"),
    ("int8_row", "affine4"), ("affine8", "affine8"), ("affine2", "affine3(group=16)"),
    ("nvfp4", "affine4"), ("mx9", "affine5"), ("q5_1", "q4_1"), ("affine6", "mxfp6_e3m2"),
    ("mxfp4", "affine7"), ("affine4(group=32,scale=fp16)", "int8_tensor"),
    ("affine4(group=128,scale=bf16)", "q8_0"), ("mxfp4(block=3)", "affine4(group=6)"),
    ("int4_1x32", "affine8"), ("q8_0", "q8_0"), ("q8_0", "q4_0"), ("q4_0", "q4_0"),
    ("q5_0", "mxint8"),
  ].map { FormatPair(a: format($0.0), b: format($0.1)) }

  static func format(_ id: String) -> any BlockFormat {
    do {
      return try FormatCatalog.format(id: id)
    } catch {
      fatalError("\(id): \(error)")
    }
  }
}

/// The extents of a product.
struct ProductExtents: CustomTestStringConvertible, Sendable {
  let m: Int
  let n: Int
  let k: Int
  var testDescription: String { "\(m)x\(n)x\(k)" }

  static let all: [ProductExtents] = [
    (1, 1, 1), (2, 3, 5), (1, 33, 64), (3, 31, 37), (7, 32, 96), (13, 65, 100), (9, 40, 129),
    (29, 17, 257), (1, 5, 0), (0, 4, 8), (4, 0, 8),
  ].map { ProductExtents(m: $0.0, n: $0.1, k: $0.2) }
}

/// Operands whose values reach into every corner.
enum ProductValues: String, CaseIterable, Sendable {
  case ordinary
  /// Blocks of zeros, of subnormal numbers and of the largest ones.
  case extreme
  /// NaN and infinities here and there.
  case special

  func tensor(_ shape: [Int], seed: UInt64) -> Tensor {
    var generator = SeededGenerator(seed: seed)
    let count = shape.reduce(1, *)
    let elements = (0..<count).map { index -> Float in
      let ordinary = Float.random(in: -4...4, using: &generator)
      switch self {
      case .ordinary: return ordinary
      case .extreme:
        let scales: [Float] = [0, 0x1p-140, 0x1p-100, 1, 0x1p60, 0x1p100, .greatestFiniteMagnitude]
        let scale = scales[(index / 16 &* 7 &+ index / 61) % scales.count]
        return scale == .greatestFiniteMagnitude && ordinary > 0 ? scale : ordinary / 4 * scale
      case .special:
        switch index % 97 {
        case 13: return .nan
        case 51: return .infinity
        case 83: return -.infinity
        default: return ordinary
        }
      }
    }
    return Tensor(elements, shape: shape)
  }
}
