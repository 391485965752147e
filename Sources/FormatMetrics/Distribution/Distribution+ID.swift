extension Distribution {
  /// The name in lower snake case, with the parameters where they are not those of ``allNamed``.
  ///
  /// Grammar: a kind, or a kind with parameters: `bdr`, `uniform`, `normal`, `laplace`,
  /// `student_t(nu=5)`, `log_normal(sigma=1.0)`, `outlier_channels(fraction=0.015625,scale=30.0)`.
  public var id: String {
    Self.allNamed.contains(self) ? kind : "\(kind)(\(parameterText))"
  }

  /// Creates the distribution of an id.
  ///
  /// - Parameter id: As ``id`` writes it; parameters may be in any order, and one left out has its
  ///   value in ``allNamed``.
  /// - Returns: `nil` for an unknown kind or parameter, a parameter given twice, one that is not a
  ///   number, or one out of its range.
  public init?(id: String) {
    let name = id.prefix { $0 != "(" }
    guard let template = Self.allNamed.first(where: { $0.kind == name }) else { return nil }
    var parameters: [String: String] = [:]
    if name.count < id.count {
      let text = id.dropFirst(name.count + 1)
      guard text.last == ")" else { return nil }
      for pair in text.dropLast().split(separator: ",", omittingEmptySubsequences: false) {
        let parts = pair.split(separator: "=", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let old = parameters.updateValue(String(parts[1]), forKey: String(parts[0]))
        if old != nil { return nil }
      }
    }
    switch template {
    case .bdr, .uniform, .normal, .laplace:
      self = template
    case .studentT(let degreesOfFreedom):
      guard let nu = Self.take("nu", from: &parameters, Int.init, default: degreesOfFreedom) else {
        return nil
      }
      self = .studentT(degreesOfFreedom: nu)
    case .logNormal(let standard):
      guard let sigma = Self.take("sigma", from: &parameters, Double.init, default: standard) else {
        return nil
      }
      self = .logNormal(sigma: sigma)
    case .outlierChannels(let standardFraction, let standardScale):
      guard
        let fraction = Self.take(
          "fraction", from: &parameters, Double.init, default: standardFraction),
        let scale = Self.take("scale", from: &parameters, Double.init, default: standardScale)
      else { return nil }
      self = .outlierChannels(fraction: fraction, scale: scale)
    }
    guard parameters.isEmpty, isValid else { return nil }
  }

  private var kind: String {
    switch self {
    case .bdr: "bdr"
    case .uniform: "uniform"
    case .normal: "normal"
    case .laplace: "laplace"
    case .studentT: "student_t"
    case .logNormal: "log_normal"
    case .outlierChannels: "outlier_channels"
    }
  }

  private var parameterText: String {
    switch self {
    case .bdr, .uniform, .normal, .laplace: ""
    case .studentT(let degreesOfFreedom): "nu=\(degreesOfFreedom)"
    case .logNormal(let sigma): "sigma=\(sigma)"
    case .outlierChannels(let fraction, let scale): "fraction=\(fraction),scale=\(scale)"
    }
  }

  /// Removes a parameter and returns its value, the default if it is absent, `nil` if it is no number.
  private static func take<Value>(
    _ name: String, from parameters: inout [String: String], _ parse: (String) -> Value?,
    default standard: Value
  ) -> Value? {
    guard let text = parameters.removeValue(forKey: name) else { return standard }
    return parse(text)
  }
}
