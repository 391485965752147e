extension TwoLevelFormat: ExplainedFormat {
  /// The formulas of the definition, with this format's numbers.
  public var steps: [String] {
    let scale = layout.fields[Field.scale].element
    let rule = defaultPolicy.scaleRule
    let most = ExactNumber.text(element.greatestFiniteMagnitude)
    let top = ExactNumber.text(Double(greatestScale(under: rule)))
    let hasTensorScale = tensorScale == .float32
    var steps = [ExactNumber.float32Steps]
    steps +=
      hasTensorScale
      ? [
        "S       = min(fl(\(most) * \(top) / amax of the tensor), FLT_MAX); 1 where amax = 0",
        "stored tensor scale = min(fl(1 / S), FLT_MAX)",
      ] : ["S       = 1"]
    steps.append(
      "s       = \(scale.name), to nearest even and saturating, of "
        + "fl(amax of the block * fl(S * fl(1/\(most))))")
    if rule == .fourOverSix {
      let targets = targets(of: rule).map { "1/\(ExactNumber.text(Double($0)))" }
      steps.append(
        "          tried with \(targets.joined(separator: " and ")); "
          + "the smaller squared error wins, ties to the first")
    }
    return steps + [
      "r       = min(fl(1 / fl(s * min(fl(1 / S), FLT_MAX))), FLT_MAX)",
      "code    = \(element.name) of fl(x * r), rounded; all 0 where s = 0",
      hasTensorScale
        ? "decoded = fl(fl(q * s) * stored tensor scale)" : "decoded = fl(q * s)",
      "a NaN block stores "
        + (scale.nanCode.map { "scale \(ExactNumber.hex($0, scale)) and codes 0" }
          ?? "codes 0 and makes the tensor scale NaN"),
    ]
  }

  /// fl(x · r).
  public func scaledValue(at position: Int, in block: ExplainedBlock) -> Double {
    let code = block.trace.codes[Field.scale][0]
    return code == 0
      ? 0 : Double(block.values[position].scaled(by: multiplier(code, block.tensorScale)))
  }

  /// Whether the block's own scale is zero.
  public func losesAllValues(of block: ExplainedBlock) -> Bool {
    block.number(0, of: Field.scale) == 0
  }

  /// The multiplier of a block with a scale code above zero.
  private func multiplier(_ code: UInt32, _ tensorScale: TensorScale) -> Float {
    encodeMultiplier(
      scale: Float(layout.fields[Field.scale].element.value(of: code)), tensorScale: tensorScale)
  }

  /// A row for each element value that the block's amax may map to.
  public func candidates(for block: ExplainedBlock) -> [ScaleCandidate] {
    let amax = block.statistics.amax
    var candidates = targets(of: block.policy.scaleRule).map { target in
      let factor = block.tensorScale.encode * (1 / target)
      let code =
        amax == 0
        ? block.encoded(by: block.policy.scaleRule).codes[Field.scale][0]
        : scaleCode(
          amax: amax, mappedTo: target, tensorScale: block.tensorScale,
          floor: block.policy.scaleFloor)
      return ScaleCandidate(
        name: "amax to \(ExactNumber.text(Double(target)))", isChosen: false,
        facts: [
          .init("factor", "fl(S*fl(1/target))", .real(Double(factor))),
          .init("wanted", "Before rounding", .real(Double(amax * factor))),
          .init("scale", "Scale", .code(code, layout.fields[Field.scale].element)),
          .init(
            "multiplier", "Multiplier r",
            .real(code == 0 ? .nan : Double(multiplier(code, block.tensorScale)))),
        ], trace: block.encoded { $0[Field.scale, 0] = code })
    }
    let chosen = candidates.firstIndex {
      $0.trace.codes[Field.scale] == block.trace.codes[Field.scale]
    }
    if let chosen { candidates[chosen].isChosen = true }
    return candidates
  }
}
