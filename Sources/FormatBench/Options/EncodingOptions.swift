import BlockFormats
import CommandLineToolkit

/// The options of commands that encode into one format.
enum EncodingOptions {
  static let scaleRule = Option.optional(
    "scale-rule", .scaleRule, help: "how scales follow from values; the format's own by default")
  static let rounding = Option.optional(
    "rounding", .rounding,
    help: "how values are rounded to elements; the format's own by default")
  static let tensorScale = Option.optional(
    "tensor-scale", .tensorScale,
    help: "the decode multiplier of the whole tensor, in formats with one; from amax by default")

  /// In the order of the help.
  static let all: [any OptionDeclaration] =
    [scaleRule, rounding, tensorScale, PolicyOptions.seed] + PolicyOptions.all

  /// The format's default policy with what the command line states; refuses what the format cannot
  /// follow.
  static func policy(
    of format: any BlockFormat, _ arguments: ParsedArguments
  ) throws(CommandError) -> EncodingPolicy {
    try PolicyOptions.checkUse(arguments, by: [format])
    try PolicyOptions.checkSeed(arguments, isUsed: arguments[rounding]?.isRandom ?? false)
    var policy = PolicyOptions.policy(of: format, arguments)
    if let rounding = arguments[rounding] {
      guard format.follows(.rounding) else {
        throw .usage("--rounding: how values are rounded is a part of \(format.id)")
      }
      policy.rounding = rounding.rule(seed: UInt64(arguments[PolicyOptions.seed]))
    }
    if let rule = arguments[scaleRule] {
      guard format.scaleRules.contains(rule) else {
        let known = format.scaleRules.map(\.id).joined(separator: ", ")
        throw .usage("--scale-rule: \(format.id) has no rule '\(rule.id)'", hint: "it has \(known)")
      }
      policy.scaleRule = rule
    }
    return policy
  }

  /// The tensor scale given, checked against the format.
  ///
  /// - Parameter includesBlockScale: whether the FP32 scale of a block that is the whole tensor
  ///   counts as one.
  static func tensorScale(
    of format: any BlockFormat, _ arguments: ParsedArguments, includesBlockScale: Bool = false
  ) throws(CommandError) -> Float? {
    guard let scale = arguments[tensorScale] else { return nil }
    let layout = format.layout
    let isOneBlock = layout.hasOneFloat32Scale
    guard layout.tensorField != nil || (includesBlockScale && isOneBlock) else {
      throw .usage("--tensor-scale: \(format.id) has no tensor scale")
    }
    guard !isOneBlock || arguments[scaleRule] == nil else {
      throw .usage("--tensor-scale and --scale-rule exclude each other: \(format.id) has one scale")
    }
    return scale
  }
}

extension ValueKind<Float> {
  /// The decode multiplier of a tensor.
  static let tensorScale = ValueKind(
    placeholder: "VALUE", accepted: "a finite number of at least 2^-128"
  ) { (text) throws(ValueFailure) in
    let scale: Float = try NumberText(text).value(in: "FP32")
    guard TensorScale.isValid(decode: scale) else { throw .notAccepted }
    return scale
  }
}
