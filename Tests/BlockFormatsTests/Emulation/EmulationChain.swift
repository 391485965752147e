import CBlockKernels

@testable import BlockFormats

/// A whole encoding and decoding of one row: magnitudes, scales, codes, packing, and back.
///
/// The driver carries the row through its kernels; here the reference encodes and decodes the same
/// values.
struct EmulationChain {
  let name: String
  let format: any KernelFormat
  let policy: EncodingPolicy

  /// Every block format with one-dimensional blocks of its own length, under its default policy;
  /// some rules and roundings more.
  static let all: [EmulationChain] = {
    let ids = [
      "mxfp8_e4m3", "mxfp8_e5m2", "mxfp6_e2m3", "mxfp6_e3m2", "mxfp4", "mxint8", "mxint8_full",
      "mxint2", "mx9", "mx6", "mx4", "msfp13", "msfp16", "nvfp4", "nvfp4_ue5m3", "vsq",
      "fp8_e4m3_1x128", "fp8_e5m2_1x128", "int8_1x128", "int4_1x32", "nf4",
    ]
    var chains: [EmulationChain] = []
    for id in ids {
      guard let format = try? FormatCatalog.format(id: id) as? any KernelFormat else { continue }
      chains.append(EmulationChain(name: id, format: format, policy: format.defaultPolicy))
      guard ["mxfp4", "mx9", "nvfp4", "fp8_e4m3_1x128"].contains(id) else { continue }
      for rounding in EmulationTable.roundings where rounding != format.defaultPolicy.rounding {
        var policy = format.defaultPolicy
        policy.rounding = rounding
        let name = "\(id).\(rounding.shortName)"
        chains.append(EmulationChain(name: name, format: format, policy: policy))
      }
      for rule in format.scaleRules where !rule.needsValues {
        var policy = format.defaultPolicy
        policy.scaleRule = rule
        guard policy != format.defaultPolicy else { continue }
        chains.append(EmulationChain(name: "\(id).\(rule.id)", format: format, policy: policy))
      }
    }
    return chains
  }()

  /// The row: whole sub-blocks and blocks of 16, not of 32.
  static let values: [Float] = (0..<1008).map {
    Float(bitPattern: EmulationInputs.rowSample(3, $0))
  }

  /// The tensor's scale, one where the format has none.
  var tensorScale: TensorScale {
    let statistics = EmulationChain.values.withUnsafeBufferPointer { ValueStatistics($0) }
    return format.tensorScale(for: statistics, policy: policy)
  }

  /// The line of the driver's table: the element with its policy, how values are scaled, poison,
  /// lengths of blocks and of what shares a multiplier, bits of scales and sub-scales, and the kind
  /// and name of the scale rule.
  var line: String {
    let block =
      switch format.layout.block {
      case .vector(let length), .run(let length): length
      case .row, .tensor, .tile: 0
      }
    let unit = format.layout.factors?.shift?.length ?? block
    let isExact = format.kernelScaling == .byPowersOfTwo
    let kind =
      switch format.kernelScale(policy: policy) {
      case .shared: "SHARED"
      case .float: "FLOAT"
      case .twoLevel: "TWO_LEVEL"
      case .unscaled, .stored, .doubled, nil: "#error"
      }
    return "CHAIN(\"\(name)\", \"\(format.layout.element.name).\(policy.rounding.shortName)\", "
      + "\(isExact), \(EmulationTable.hex(format.poisonCode)), \(block), \(unit), "
      + "\(format.layout.factors?.scale?.element.bitWidth ?? 0), "
      + "\(format.layout.factors?.shift?.bitWidth ?? 0), "
      + "BK_RULE_\(kind), \"chain.\(name)\", "
      + "\(EmulationTable.hex(tensorScale.decode)))"
  }
}
