import CallerChecks

/// An element format that the compiler knows, so that a scalar can have it as its type.
public protocol StaticElementFormat: Sendable {
  /// The format.
  static var format: ElementFormat { get }
}

/// One number in an element format, such as `Coded<E4M3FN>`: a code that prints, compares and converts.
///
/// There is no arithmetic: convert to `Float` or `Double`, which hold every value of the formats here
/// exactly, compute, and round the result back by a rule that the call names.
///
/// ```swift
/// let x = Coded<E4M3FN>(rounding: 957)            // 448, saturated
/// let y = Coded<E2M1FN>(rounding: 2.5, .towardZero)
/// let sum = Float(x) + Float(y)
/// ```
///
/// Equality and order are those of the values: -0 equals 0, and NaN equals nothing.
public struct Coded<Format: StaticElementFormat>: Sendable {
  /// The code, in the low bits.
  public let bitPattern: UInt32

  /// The number of a code.
  ///
  /// - Precondition: the code fits in the format's bits.
  public init(bitPattern: UInt32) {
    let width = Format.format.bitWidth
    require(
      UInt64(bitPattern) >> UInt64(width) == 0, "code \(bitPattern) does not fit in \(width) bits")
    self.bitPattern = bitPattern
  }

  /// The number that a value is rounded to.
  ///
  /// - Parameters:
  ///   - value: any value.
  ///   - rule: how it is rounded.
  ///   - overflow: what becomes of it beyond the largest.
  public init(
    rounding value: Double, _ rule: RoundingRule = .toNearestOrEven,
    overflow: OverflowRule = .saturate
  ) {
    bitPattern = Format.format.code(for: value, rounding: rule, overflow: overflow)
  }

  /// The number that has a value; `nil` where the format has none.
  ///
  /// NaN is none.
  public init?(exactly value: Double) {
    let code = Format.format.code(for: value, overflow: .special)
    let found = Format.format.value(of: code)
    guard found == value, found.sign == value.sign else { return nil }
    bitPattern = code
  }

  /// The value, exact.
  public var value: Double { Format.format.value(of: bitPattern) }

  /// Whether it is a NaN.
  public var isNaN: Bool { value.isNaN }

  /// Whether it is neither infinite nor NaN.
  public var isFinite: Bool { value.isFinite }
}

extension Coded: Hashable, Comparable {
  /// Whether two numbers have one value.
  public static func == (a: Coded, b: Coded) -> Bool { a.value == b.value }

  /// Whether the first value is below the second.
  public static func < (a: Coded, b: Coded) -> Bool { a.value < b.value }

  /// Hashes the value.
  public func hash(into hasher: inout Hasher) { hasher.combine(value) }
}

extension Coded: LosslessStringConvertible {
  /// The value as `Double` prints it.
  public var description: String { value.description }

  /// The number that a text such as `0.375` or `nan` names exactly; `nil` where the format has none.
  public init?(_ description: String) {
    guard let value = Double(description) else { return nil }
    if value.isNaN, let code = Format.format.nanCode {
      self.init(bitPattern: code)
    } else {
      self.init(exactly: value)
    }
  }
}

extension Coded: Codable {
  /// Decodes a code, as an integer.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let code = try container.decode(UInt32.self)
    let width = Format.format.bitWidth
    guard UInt64(code) >> UInt64(width) == 0 else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\(code) does not fit in \(width) bits")
    }
    bitPattern = code
  }

  /// Encodes the code, as an integer.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(bitPattern)
  }
}

extension Double {
  /// The value of a coded number, exact.
  public init<Format>(_ number: Coded<Format>) { self = number.value }
}

extension Float {
  /// The value of a coded number: exact for formats of up to 24 significant bits within FP32's range.
  public init<Format>(_ number: Coded<Format>) { self = Float(number.value) }
}

/// E4M3 of OFP8.
public enum E4M3FN: StaticElementFormat {
  /// The format.
  public static let format = ElementFormat.e4m3fn
}

/// E5M2 of OFP8.
public enum E5M2: StaticElementFormat {
  /// The format.
  public static let format = ElementFormat.e5m2
}

/// The elements of MXFP6.
public enum E2M3FN: StaticElementFormat {
  /// The format.
  public static let format = ElementFormat.e2m3fn
}

/// The other elements of MXFP6.
public enum E3M2FN: StaticElementFormat {
  /// The format.
  public static let format = ElementFormat.e3m2fn
}

/// The elements of MXFP4 and NVFP4.
public enum E2M1FN: StaticElementFormat {
  /// The format.
  public static let format = ElementFormat.e2m1fn
}

/// The scales of MX.
public enum E8M0FNU: StaticElementFormat {
  /// The format.
  public static let format = ElementFormat.e8m0fnu
}

/// bfloat16.
public enum BF16: StaticElementFormat {
  /// The format.
  public static let format = ElementFormat.bf16
}
