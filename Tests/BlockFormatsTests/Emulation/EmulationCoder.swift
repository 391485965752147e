import CBlockKernels

@testable import BlockFormats

/// A format whose blocks are encoded as wholes, under a policy.
struct EmulationCoder {
  let name: String
  let format: any KernelFormat
  let policy: EncodingPolicy

  /// Formats of several lengths and stored types; one under every rounding.
  static let all: [EmulationCoder] = {
    let ids = [
      "affine4", "affine2(group=32,scale=fp16)", "affine8(group=128,scale=bf16)",
      "affine6(group=24)", "affine5(group=2,scale=bf16)", "affine3(group=16,scale=fp16)", "q5_0",
      "q5_1", "q8_0", "tq1_0", "tq2_0", "iq4_nl",
    ]
    var coders: [EmulationCoder] = []
    for id in ids {
      guard let format = try? FormatCatalog.format(id: id) as? any KernelFormat else { continue }
      coders.append(EmulationCoder(name: id, format: format, policy: format.defaultPolicy))
      if id == "iq4_nl" {
        let policy = format.policy { $0.scaleRule = ScaleRule(GGMLRule.firstFactor) }
        coders.append(EmulationCoder(name: "iq4_nl.first", format: format, policy: policy))
      }
      guard id == "affine4" || id == "q8_0" else { continue }
      for rounding in EmulationTable.roundings where rounding != format.defaultPolicy.rounding {
        coders.append(
          EmulationCoder(
            name: "\(id).\(rounding.shortName)", format: format,
            policy: format.policy { $0.rounding = rounding }))
      }
    }
    return coders
  }()

  /// The row that the driver encodes.
  static let values: [Float] = (0..<1008).map {
    Float(bitPattern: EmulationInputs.sample(3, $0, from: -4, count: 9))
  }

  /// The line of the driver's table.
  var line: String {
    guard case .stored(let coder) = format.kernelScale(policy: policy) else {
      return "#error \(name) has no encoder of blocks"
    }
    let element = coder.element
    var fields = EmulationTable.fields(of: element).dropLast()
    fields += ",\n     .code_of_zero = \(element.code_of_zero), .saturates = \(element.saturates),"
    fields +=
      " .rounding = \(element.rounding.rawValue),\n"
      + "     .random_mask = \(EmulationTable.hex(element.random_mask))}"
    return "CODER(\"\(name)\", \(format.layout.fields.count > 2), "
      + "{.kind = \(coder.kind.rawValue), .block = \(coder.block), "
      + ".greatest = \(EmulationTable.hex(coder.greatest)), "
      + ".least_step = \(EmulationTable.hex(coder.least_step)), .trials = \(coder.trials),\n    "
      + ".least = \(EmulationTable.hex(coder.least)), "
      + ".least_magnitude = \(EmulationTable.hex(coder.least_magnitude)),\n    "
      + ".stored = \(coder.stored.rawValue), .reach = \(EmulationTable.hex(coder.reach)), "
      + ".element =\n    \(fields)\(search(of: coder))})"
  }
  /// The table that a fit searches.
  private func search(of coder: BKBlockCoder) -> String {
    guard coder.kind == BK_CODER_FIT else { return "" }
    return ", .search =\n    \(EmulationTable.fields(of: coder.search))"
  }
}
