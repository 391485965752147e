extension KernelLevel {
  /// The levels that this machine supports, the lowest first.
  public static var supported: [KernelLevel] { [.portable] }

  /// The highest level that this machine supports.
  public static var best: KernelLevel { supported.last ?? .portable }
}
