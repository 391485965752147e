/// Which elements of a tensor make a block.
///
/// Blocks never cross the end of the axis they run along; a tail that the block length does not
/// divide is a shorter block. Only runs do: they see the tensor as one row.
public enum BlockShape: Hashable, Sendable {
  /// `length` neighbours along the block axis.
  case vector(length: Int)
  /// `length` neighbours of the flattened tensor, whatever its rows. The block axis has no part in it.
  case run(length: Int)
  /// All elements along the block axis ("per row", "per channel").
  case row
  /// `rows` x `columns` elements of the last two axes; leading axes are batches. The block axis
  /// has no part in it.
  case tile(rows: Int, columns: Int)
  /// The whole tensor.
  case tensor

  /// The lengths and extents that a block can have.
  public static let extents = 1...1 << 20

  /// The number of elements in a full block; `nil` where the tensor decides.
  public var elementCount: Int? {
    switch self {
    case .vector(let length), .run(let length): length
    case .tile(let rows, let columns): rows * columns
    case .row, .tensor: nil
    }
  }

  /// The shape's name in ids and reports, such as `32`, `run64`, `row`, `16x16`.
  public var id: String {
    switch self {
    case .vector(let length): "\(length)"
    case .run(let length): "run\(length)"
    case .row: "row"
    case .tile(let rows, let columns): "\(rows)x\(columns)"
    case .tensor: "tensor"
    }
  }

  /// Which elements make a block, in words.
  package var phrase: String {
    switch self {
    case .vector(let length): "\(length) elements along the block axis"
    case .run(let length): "\(length) elements of the flattened tensor"
    case .row: "all elements along the block axis"
    case .tile(let rows, let columns): "\(rows) x \(columns) elements of the last two axes"
    case .tensor: "the whole tensor"
    }
  }

  /// The shape that a text names; its numbers are among `extents`.
  init?(id: String) {
    func extent(_ text: some StringProtocol) -> Int? {
      guard let value = Int(text), Self.extents.contains(value) else { return nil }
      return value
    }
    let parts = id.split(separator: "x", omittingEmptySubsequences: false)
    switch (id, parts.count) {
    case ("row", _): self = .row
    case ("tensor", _): self = .tensor
    case (_, 1) where id.hasPrefix("run"):
      guard let length = extent(id.dropFirst(3)) else { return nil }
      self = .run(length: length)
    case (_, 1):
      guard let length = extent(id) else { return nil }
      self = .vector(length: length)
    case (_, 2):
      guard let rows = extent(parts[0]), let columns = extent(parts[1]) else { return nil }
      self = .tile(rows: rows, columns: columns)
    default: return nil
    }
  }
}
