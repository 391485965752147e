/// A format whose default policy is a value, so that a producer's dialect is one and no new type.
public protocol ComposedFormat: BlockFormat {
  /// The choices made where the caller states none.
  var defaultPolicy: EncodingPolicy { get set }
}

extension ComposedFormat {
  /// The format with other default choices, under the same id: what is stored means the same.
  ///
  /// ```swift
  /// let torchao = SharedExponentFormat.mxfp4.with { $0.scaleRule = .powerOfTwo(.rceil) }
  /// ```
  public func with(_ change: (inout EncodingPolicy) -> Void) -> Self {
    var format = self
    change(&format.defaultPolicy)
    return format
  }
}

extension BlockFormat {
  /// The default policy with other choices.
  public func policy(_ change: (inout EncodingPolicy) -> Void) -> EncodingPolicy {
    var policy = defaultPolicy
    change(&policy)
    return policy
  }
}
