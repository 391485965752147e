import BlockFormats
import CommandLineToolkit

extension ValueKind<KernelSelection> {
  /// A kernel level that this machine supports, or the reference in Swift, by its id.
  static let kernelSelection = ValueKind(
    placeholder: "LEVEL", accepted: "a kernel level", choices: names
  ) { (text) throws(ValueFailure) in
    if text == KernelSelection.reference.id { return .reference }
    return .level(try KernelLevel.supported(id: text, names: names))
  }

  private static let names = KernelLevel.allCases.map(\.id) + [KernelSelection.reference.id]
}

extension ValueKind<KernelLevel> {
  /// A kernel level that this machine supports, by its id.
  static let kernelLevel = ValueKind(
    placeholder: "LEVEL", accepted: "a kernel level", choices: names
  ) { (text) throws(ValueFailure) in
    try KernelLevel.supported(id: text, names: names)
  }

  private static let names = KernelLevel.allCases.map(\.id)
}

extension KernelLevel {
  /// The level of an id, if this machine supports it.
  ///
  /// - Parameter names: what may be meant where the id is unknown.
  fileprivate static func supported(
    id: String, names: [String]
  ) throws(ValueFailure) -> KernelLevel {
    let usable = supported.map(\.id) + names.filter { $0 == KernelSelection.reference.id }
    let hint = "this machine has " + usable.joined(separator: ", ")
    switch Request(id) {
    case .level(let level): return level
    case .none, .unknown: throw .unknown("kernel level", id, known: names, hint: hint)
    case .unsupported:
      throw .explained("this machine does not support kernel level '\(id)'", hint: hint)
    }
  }
}

extension KernelSelection {
  /// The name in options and reports.
  var id: String {
    switch self {
    case .best: KernelLevel.best.id
    case .level(let level): level.id
    case .reference: "reference"
    }
  }
}
