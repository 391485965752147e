/// How the shapes of two operands make that of their product.
enum ProductShape {
  /// The shape of A · Bᵀ.
  ///
  /// The last axes are contracted. Leading axes are batches: the same on both sides, or one matrix on
  /// one of them, with or without axes of one.
  static func of(_ a: [Int], _ b: [Int]) throws(ProductError) -> [Int] {
    guard a.count >= 2 else { throw .notAMatrix(shape: a) }
    guard b.count >= 2 else { throw .notAMatrix(shape: b) }
    guard a.last == b.last else { throw .depthMismatch(a: a, b: b) }
    let (batchA, batchB) = (a.dropLast(2), b.dropLast(2))
    let (isOneA, isOneB) = (batchA.allSatisfy { $0 == 1 }, batchB.allSatisfy { $0 == 1 })
    guard batchA == batchB || isOneA || isOneB else { throw .batchMismatch(a: a, b: b) }
    // Of two single matrices the one with more axes gives the shape.
    let isA = isOneB && (!isOneA || batchA.count >= batchB.count)
    return Array(isA || batchA == batchB ? batchA : batchB) + [a[a.count - 2], b[b.count - 2]]
  }
}
