import CBlockKernels

@testable import BlockFormats

/// A format whose blocks have parts that are doubled, under a policy.
struct EmulationDoubling {
  let name: String
  let policy: EncodingPolicy

  /// HiFloat4 under every rounding that kernels know, and without negative zeros.
  static let all: [EmulationDoubling] = {
    let format = HiF4Format()
    let roundings = EmulationTable.roundings.map { rounding in
      EmulationDoubling(
        name: "\(format.id).\(rounding.shortName)",
        policy: format.policy { $0.rounding = rounding })
    }
    let positive = EmulationDoubling(
      name: "\(format.id).positive", policy: format.policy { $0.zeroSign = .positive })
    return roundings.filter { format.kernelScale(policy: $0.policy) != nil } + [positive]
  }()

  /// The line of the driver's table.
  var line: String {
    let format = HiF4Format()
    guard case .doubled(let rule) = format.kernelScale(policy: policy),
      let element = format.kernelElement(policy: policy)
    else { return "#error \(name) has no kernels" }
    func list(_ numbers: (UInt32, UInt32, UInt32, UInt32)) -> String {
      let hex = [numbers.0, numbers.1, numbers.2, numbers.3].map { EmulationTable.hex($0) }
      return "{\(hex.joined(separator: ", "))}"
    }
    let codes = [element.overflow.0, element.overflow.1].map { EmulationTable.hex($0) }
    return "DOUBLING(\"\(name)\",\n    \(EmulationTable.fields(of: element).dropLast()),\n"
      + "     .saturates = \(element.saturates), .rounding = \(element.rounding.rawValue),\n"
      + "     .is_scaling_exact = \(element.is_scaling_exact), "
      + ".overflow = {\(codes.joined(separator: ", "))}},\n"
      + "    {.offset = \(rule.offset), .steps = \(list(rule.steps)),\n"
      + "     .greatest_code = \(rule.greatest_code), .nan_code = \(rule.nan_code),\n"
      + "     .least_scale = \(EmulationTable.hex(rule.least_scale)), "
      + ".limits = \(list(rule.limits)),\n"
      + "     .multipliers = \(list(rule.multipliers)), "
      + ".reach = \(EmulationTable.hex(rule.reach))})"
  }
}
