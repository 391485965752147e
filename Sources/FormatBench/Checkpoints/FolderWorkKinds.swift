import CommandLineToolkit
import QuantizedCheckpoints

extension ValueKind<FolderWork.Share> {
  /// The share of one of several workers: `2/4`.
  static let share = ValueKind(
    placeholder: "K/N", accepted: "two numbers such as 2/4, the first from 1 to the second"
  ) { (text) throws(ValueFailure) in
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let number = Int(parts[0]), let count = Int(parts[1]), number >= 1,
      number <= count, count <= 1_000_000
    else { throw .notAccepted }
    return .worker(number, of: count)
  }
}

extension ValueKind<Int> {
  /// A number of bytes: `5GB`, `500MB`, or digits alone.
  static let byteCount = ValueKind(
    placeholder: "SIZE", accepted: "a number of bytes such as 5GB, 500MB or 1048576"
  ) { (text) throws(ValueFailure) in
    let units: [(ending: String, factor: Int)] = [
      ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1000), ("B", 1),
      ("", 1),
    ]
    let upper = text.uppercased()
    guard let unit = units.first(where: { upper.hasSuffix($0.ending) }),
      let number = Int(upper.dropLast(unit.ending.count)), number >= 1,
      case let (product, overflows) = number.multipliedReportingOverflow(by: unit.factor),
      !overflows
    else { throw .notAccepted }
    return product
  }
}
