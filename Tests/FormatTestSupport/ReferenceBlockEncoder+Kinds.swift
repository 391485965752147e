import Foundation

extension ReferenceBlockEncoder {
  // MARK: - Power-of-two scales

  /// floor(log2 x) by doubling and halving.
  static func floorLog2(_ x: Double) -> Int {
    var (exponent, power) = (0, 1.0)
    while power > x {
      power /= 2
      exponent -= 1
    }
    while power * 2 <= x {
      power *= 2
      exponent += 1
    }
    return exponent
  }

  /// The smallest e with 2^e ≥ x.
  static func ceilLog2(_ x: Double) -> Int {
    let floor = floorLog2(x)
    return ReferenceBlockElement.powerOfTwo(floor) == x ? floor : floor + 1
  }

  /// The exponent of a rule; far below every scale for amax = 0.
  static func exponent(
    _ amax: Float, _ element: ReferenceBlockElement, _ rule: ReferenceBlockPolicy.PowerOfTwo
  ) -> Int {
    guard amax > 0 else { return -4096 }
    let x = Double(amax)
    let top = floorLog2(element.greatest)
    switch rule {
    case .floor: return floorLog2(x) - top
    case .ceil: return ceilLog2(x) - top
    case .rceil:
      let quotient = amax * (1 / Float(element.greatest))
      return quotient == 0 ? -149 : quotient.isInfinite ? 128 : ceilLog2(Double(quotient))
    case .even, .evenE2M1:
      // Round half up at the element's fraction width, then take the floor.
      let bits = rule == .even ? element.fractionBits : 1
      let unit = ReferenceBlockElement.powerOfTwo(floorLog2(x) - bits)
      return floorLog2((x / unit + 0.5).rounded(.down) * unit) - top
    case .nearestLog2: return Int(log2(x / element.greatest).rounded())
    }
  }

  func encodePowerOfTwo(_ block: [Int], _ parts: [[Int]], _ bits: Int, _ subBits: Int) -> Block {
    let bias = (1 << (bits - 1)) - 1
    let nan = (1 << bits) - 1
    if isPoisoned(block) {
      return Block(
        scale: UInt32(nan), taus: parts.map { _ in 0 },
        codes: block.map { _ in format.element.nanCode ?? 0 }, decoded: block.map { _ in .nan })
    }
    let amax = finiteMaximum(block)
    func encoded(_ exponent: Int, _ rule: ReferenceBlockPolicy.PowerOfTwo) -> Block {
      var scale = min(max(exponent + bias, 0), nan - 1)
      let beta = subBits == 0 ? 0 : (1 << subBits) - 1
      let taus = parts.map { part in
        min(max(scale - bias - Self.exponent(finiteMaximum(part), format.element, rule), 0), beta)
      }
      if amax == 0 && policy.zeroBlockIsOne { scale = bias }
      var result = Block(scale: UInt32(scale), taus: taus.map(UInt32.init))
      for (part, tau) in zip(parts, taus) {
        let step = ReferenceBlockElement.powerOfTwo(scale - bias - tau)
        for index in part {
          func decoded(_ q: Double) -> Float { Float(q * step) }
          let (code, overflowed) = element(
            Double(values[index]) / step, at: index, decoded: decoded)
          result.codes.append(code)
          result.decoded.append(decoded(format.element.value(of: code)))
          if overflowed { result.overflows += 1 }
        }
      }
      return result
    }
    switch policy.scale {
    case .powerOfTwo(let rule): return encoded(Self.exponent(amax, format.element, rule), rule)
    case .search(let rule):
      let first = Self.exponent(amax, format.element, rule)
      var best = (block: encoded(first, rule), error: Double.infinity)
      for candidate in [first, first - 1, first + 1] {
        let trial = encoded(candidate, rule)
        let error = squaredError(trial.decoded, block)
        if error < best.error { best = (trial, error) }
      }
      return best.block
    default: fatalError("no such rule for a power-of-two scale")
    }
  }

  // MARK: - Two levels

  func encodeTwoLevel(
    _ block: [Int], _ scale: ReferenceBlockElement, _ leastNormal: UInt32
  ) -> Block {
    let zeros = block.map { _ in UInt32(0) }
    func nanBlock(_ code: UInt32) -> Block {
      Block(scale: code, codes: zeros, decoded: block.map { _ in .nan })
    }
    if tensor.encode.isNaN { return nanBlock(0) }
    if isPoisoned(block), let code = scale.nanCode { return nanBlock(code) }
    let amax = finiteMaximum(block)
    let plain = ReferenceBlockPolicy(nonFinite: .element, scale: .none)
    func encoded(_ target: Float) -> Block {
      let inverse: Float = 1 / target
      let wanted: Float
      switch policy.arithmetic {
      case .multiply:
        let factor: Float = tensor.encode * inverse
        wanted = amax * factor
      case .divide:
        let divisor: Float = target * tensor.decode
        wanted = amax / divisor
      case .reciprocal:
        let own: Float = amax / target
        wanted = own / tensor.decode
      case .divideByQuotient:
        let own: Float = amax / target
        wanted = own * tensor.encode
      }
      var code = scale.encode(Double(wanted), plain, index: 0).code
      switch policy.floor {
      case .none: break
      case .leastNonzero: code = max(code, 1)
      case .leastNormal: code = max(code, leastNormal)
      case .eighthForZero:
        if code == 0 { code = max(1, scale.encode(0.125, plain, index: 0).code) }
      }
      if amax == 0 && policy.zeroBlockIsOne { code = scale.encode(1, plain, index: 0).code }
      while Float(scale.value(of: code)).isInfinite { code = scale.codeTowardZero(code) }
      var result = Block(scale: code)
      let s = Float(scale.value(of: code))
      let step = scaling(s)
      func decoded(_ q: Double) -> Float {
        let inner: Float = Float(q) * s
        return inner * tensor.decode
      }
      for index in block {
        var bits: UInt32 = 0
        if code != 0 {
          let scaled: Float = step(values[index])
          let encoded = element(Double(scaled), at: index, decoded: decoded)
          bits = encoded.code
          if encoded.overflowed { result.overflows += 1 }
        }
        result.codes.append(bits)
        result.decoded.append(decoded(format.element.value(of: bits)))
      }
      return result
    }
    let six = encoded(Float(format.element.greatest))
    guard policy.isFourOverSix else { return six }
    let four = encoded(4)
    if case .fourOverSixAbsolute = policy.scale {
      return absoluteError(four.decoded, block) < absoluteError(six.decoded, block) ? four : six
    }
    return squaredError(four.decoded, block) < squaredError(six.decoded, block) ? four : six
  }

  /// What a scale of the block does to values.
  private func scaling(_ s: Float) -> (Float) -> Float {
    func multiplying(_ factor: Float) -> (Float) -> Float {
      let factor = factor > .greatestFiniteMagnitude ? .greatestFiniteMagnitude : factor
      return { $0 * factor }
    }
    func dividing(_ divisor: Float) -> (Float) -> Float {
      let divisor = divisor == 0 ? Float.leastNonzeroMagnitude : divisor
      return { $0 / divisor }
    }
    switch policy.arithmetic {
    case .multiply:
      let unit = Self.held(1 / tensor.encode, above: 0)
      let product: Float = s * unit
      return multiplying(1 / product)
    case .divide:
      let product: Float = s * tensor.decode
      return dividing(product)
    case .reciprocal:
      let inverse: Float = 1 / tensor.decode
      return multiplying(inverse / s)
    case .divideByQuotient: return dividing(s / tensor.encode)
    }
  }

  // MARK: - FP32 scales and none

  func encodeFloat32(_ block: [Int]) -> Block {
    if isPoisoned(block) {
      let code = format.element.nanCode ?? 0
      return Block(
        scale: Float.nan.bitPattern, codes: block.map { _ in code },
        decoded: block.map { _ in .nan })
    }
    let amax = finiteMaximum(block)
    var target = Float(format.element.greatest)
    if case .amaxHalfStep = policy.scale {
      // Values are evenly spaced there.
      target += Float(format.element.value(of: 1)) / 2
    }
    if policy.arithmetic != .multiply { return encodeByQuotient(block, amax, target) }
    var multiplier: Float = 1
    if amax > 0 {
      multiplier = target / amax
      if multiplier > .greatestFiniteMagnitude { multiplier = .greatestFiniteMagnitude }
    }
    if case .amaxPowerOfTwo = policy.scale {
      // The reciprocal must be an FP32 number.
      multiplier = Float(
        ReferenceBlockElement.powerOfTwo(max(Self.floorLog2(Double(multiplier)), -127)))
    }
    return encodeFloat32(block, stored: Self.held(1 / multiplier, above: 0)) { $0 * multiplier }
  }

  private func encodeByQuotient(_ block: [Int], _ amax: Float, _ target: Float) -> Block {
    var stored: Float = 1
    if amax > 0 { stored = Self.held(amax / target, above: 0x1p-128) }
    if case .amaxPowerOfTwo = policy.scale {
      stored = Float(ReferenceBlockElement.powerOfTwo(min(Self.ceilLog2(Double(stored)), 127)))
    }
    let inverse = Self.held(1 / stored, above: 0)
    return encodeFloat32(block, stored: stored) {
      policy.arithmetic == .reciprocal ? $0 * inverse : $0 / stored
    }
  }

  private func encodeFloat32(
    _ block: [Int], stored: Float, scaled: (Float) -> Float
  ) -> Block {
    var result = Block(scale: stored.bitPattern)
    func decoded(_ q: Double) -> Float { Float(q) * stored }
    for index in block {
      let scaled: Float = scaled(values[index])
      let (code, overflowed) = element(Double(scaled), at: index, decoded: decoded)
      result.codes.append(code)
      result.decoded.append(decoded(format.element.value(of: code)))
      if overflowed { result.overflows += 1 }
    }
    return result
  }

  func encodeCast(_ block: [Int]) -> Block {
    var result = Block()
    for index in block {
      let (code, overflowed) = element(
        Double(values[index]), at: index, decoded: { Float($0) })
      result.codes.append(code)
      result.decoded.append(Float(format.element.value(of: code)))
      if overflowed { result.overflows += 1 }
    }
    return result
  }
}
