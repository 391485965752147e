public import TensorFiles
import UntrustedText

/// Why a file cannot be taken as a checkpoint.
public enum CheckpointError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file cannot be opened or is no well-formed safetensors file.
  case file(TensorFileError)
  /// The file's tensors are not the ones needed.
  case mismatch(path: String, CheckpointMismatch)
  /// The arrays fit, but the counters, or the curve beside the file, are of another run or damaged.
  case otherRun(path: String, step: Int, curveRows: Int)
  /// A delayed scale in the file is none that a step makes.
  case badScale(path: String)

  /// One line that names the file and all causes.
  public var description: String {
    switch self {
    case .file(let error): error.description
    case .mismatch(let path, let mismatch): "\(printable(path, limit: nil)): \(mismatch)"
    case .badScale(let path):
      "\(printable(path, limit: nil)): a delayed scale is not a normal number above zero"
    case .otherRun(let path, let step, let rows):
      "\(printable(path, limit: nil)): not a state of this run at step \(step) with \(rows) rows of its curve"
    }
  }
}

/// The differences between a checkpoint and what was expected of it.
public struct CheckpointMismatch: Hashable, Sendable, CustomStringConvertible {
  /// A tensor whose type or shape is not the expected one.
  public struct Difference: Hashable, Sendable {
    /// The name in the file.
    public let name: String
    /// The expected type and shape, such as `F32[4, 8]`.
    public let expected: String
    /// The type and shape in the file.
    public let found: String
  }

  /// The names that are expected and not in the file, in ascending order.
  public internal(set) var missing: [String] = []
  /// The names in the file that nobody expects, in ascending order.
  public internal(set) var unexpected: [String] = []
  /// The tensors of another type or shape, in ascending order of names.
  public internal(set) var different: [Difference] = []

  var isEmpty: Bool { missing.isEmpty && unexpected.isEmpty && different.isEmpty }

  /// One line with all names, escaped so that none can break it.
  public var description: String {
    func list(_ title: String, _ names: [String]) -> [String] {
      names.isEmpty ? [] : ["\(title): \(names.joined(separator: ", "))"]
    }
    let differences = different.map {
      "\(printable($0.name)) is \($0.found) instead of \($0.expected)"
    }
    let lists =
      list("missing", missing.map { printable($0) })
      + list("unexpected", unexpected.map { printable($0) }) + list("different", differences)
    return lists.joined(separator: "; ")
  }

  /// Notes an FP32 array of another shape.
  mutating func add(_ name: String, _ expected: [Int], _ found: [Int]) {
    different.append(Difference(name: name, expected: "F32\(expected)", found: "F32\(found)"))
  }

  mutating func check(_ tensor: TensorInfo, _ dtype: TensorDType, _ shape: [Int]) {
    guard tensor.dtype != dtype || tensor.shape != shape else { return }
    different.append(
      Difference(
        name: tensor.name, expected: "\(dtype.rawValue)\(shape)",
        found: "\(tensor.dtype.rawValue)\(tensor.shape)"))
  }

  func sorted() -> CheckpointMismatch {
    var result = self
    result.missing.sort()
    result.unexpected.sort()
    result.different.sort { $0.name < $1.name }
    return result
  }
}
