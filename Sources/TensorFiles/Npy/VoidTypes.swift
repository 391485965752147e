import CallerChecks

/// What elements are of which a NumPy header says the size alone.
///
/// NumPy writes `<V2` for an element type of two bytes that it does not know by itself, and libraries
/// that add types to it, such as ml_dtypes, let it: BF16 becomes `<V2` and most types of one byte
/// `<V1`, of which nothing in the file tells one from the other.
struct VoidTypes: Sendable {
  private let dtypes: [TensorDType]

  /// Every type that a caller may name, by the bytes of an element.
  private static let candidates: [Int: [TensorDType]] = [
    1: [.f8E5M2, .f8E4M3, .f8E8M0, .f8E4M3FNUZ, .f8E5M2FNUZ], 2: [.bf16],
  ]

  /// - Precondition: All are BF16 or types of eight bits whose names begin with F8, at most one of
  ///   the latter.
  init(_ dtypes: Set<TensorDType>) {
    let sorted = dtypes.sorted { $0.rawValue < $1.rawValue }
    let names = sorted.map(\.rawValue).joined(separator: ", ")
    for dtype in sorted {
      require(
        Self.candidates.values.contains { $0.contains(dtype) },
        "void elements cannot be \(dtype.rawValue)")
    }
    require(
      Set(sorted.map(\.bitWidth)).count == sorted.count, "void elements of one size as \(names)")
    self.dtypes = sorted
  }

  /// The number of bytes of an element that a descriptor calls void; nil if it is not of a size that
  /// a type has.
  ///
  /// ml_dtypes calls E5M2 `<f1`, which NumPy does not know either.
  static func byteCount(_ descriptor: String) -> Int? {
    switch descriptor {
    case "|V1", "<V1", "|f1", "<f1": 1
    case "|V2", "<V2": 2
    default: nil
    }
  }

  /// The type of void elements of a size, nil if the caller has named none.
  func dtype(byteCount: Int) -> TensorDType? { dtypes.first { $0.bitWidth == 8 * byteCount } }

  /// The types of elements of a size among which the caller has to choose.
  static func candidates(byteCount: Int) -> [TensorDType] { candidates[byteCount] ?? [] }
}
