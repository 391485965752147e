import CallerChecks

/// What a GGUF file is to say about a tensor: its name, type and shape.
public struct GGUFTensorDescription: Hashable, Sendable {
  /// The name.
  public let name: String
  /// The element type.
  public let type: GGMLType
  /// The extents, outermost first, which is the reverse of the file's order; empty for a scalar.
  public let shape: [Int]
  /// The product of the extents: 1 for a scalar, 0 if any extent is.
  public let elementCount: Int
  /// The bytes that the elements take.
  public let byteCount: Int

  /// Describes a tensor.
  ///
  /// - Precondition: The shape has at most four extents, none of them negative, and at most 2^48
  ///   elements. The last extent is a multiple of the type's block length, where a scalar counts as
  ///   one of 1.
  public init(name: String, type: GGMLType, shape: [Int]) {
    do throws(Fault) {
      try self.init(checking: name, type: type, shape: shape)
    } catch {
      refuse("tensor '\(name)' \(error.reason)")
    }
  }

  /// Describes a tensor as a file does.
  public init(_ tensor: GGUFTensorInfo) {
    self.init(name: tensor.name, type: tensor.type, shape: tensor.shape)
  }

  /// What is wrong with a shape.
  enum Fault: Error {
    /// More than 2^48 elements.
    case overflow
    /// What a sentence about the tensor says.
    case other(String)

    var reason: String {
      switch self {
      case .overflow: "has more than \(elementLimit) elements"
      case .other(let reason): reason
      }
    }
  }

  /// Describes a tensor, or says why there can be none.
  init(checking name: String, type: GGMLType, shape: [Int]) throws(Fault) {
    guard shape.count <= GGUFLayout.rankLimit else {
      throw .other("has \(shape.count) extents, more than \(GGUFLayout.rankLimit)")
    }
    if let extent = shape.first(where: { $0 < 0 }) {
      throw .other("has the negative extent \(extent)")
    }
    guard let count = checkedElementCount(shape) else { throw .overflow }
    let row = shape.last ?? 1
    guard row % type.blockLength == 0 else {
      throw .other(
        "has rows of \(row) elements, which do not fill blocks of \(type.blockLength) (\(type))")
    }
    guard let byteCount = type.byteCount(ofElements: count) else { throw .overflow }
    self.name = name
    self.type = type
    self.shape = shape
    elementCount = count
    self.byteCount = byteCount
  }
}
