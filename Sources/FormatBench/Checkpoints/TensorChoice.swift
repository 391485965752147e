import BlockFormats
import CommandLineToolkit
import QuantizedCheckpoints
import Synchronization

/// A format for the tensors whose names match: `REGEX=FORMAT`.
struct TensorFormat: Sendable {
  let pattern: NamePattern
  /// The format as the user names it; what it is depends on the dialect.
  let format: String
}

extension ValueKind<TensorFormat> {
  /// An expression and a format, at the last sign of equality outside parentheses.
  static let tensorFormat = ValueKind(
    placeholder: "REGEX=FORMAT", accepted: "a regular expression, '=' and a format"
  ) { (text) throws(ValueFailure) in
    var depth = 0
    var split: String.Index?
    for index in text.indices {
      switch text[index] {
      case "(": depth += 1
      case ")": depth -= 1
      case "=" where depth == 0: split = index
      default: break
      }
    }
    guard let split, let pattern = NamePattern(String(text[..<split])) else { throw .notAccepted }
    let format = String(text[text.index(after: split)...])
    guard !format.isEmpty else { throw .notAccepted }
    return TensorFormat(pattern: pattern, format: format)
  }
}

/// Which tensors are quantized, and to what, as options and a plan say it.
final class TensorChoice: Sendable {
  private let dialect: Dialect
  private let includes: [NamePattern]
  private let excludes: [NamePattern]
  private let formats: [(pattern: NamePattern, format: any BlockFormat)]
  private let plan: [String: any BlockFormat]?
  private let fallback: (any BlockFormat)?
  /// What names have cost so far, over all patterns.
  private let work = Mutex(0)

  init(
    dialect: Dialect, format: String?, includes: [NamePattern], excludes: [NamePattern],
    tensorFormats: [TensorFormat], plan: [String: String]?
  ) throws(CommandError) {
    self.dialect = dialect
    self.includes = includes
    self.excludes = excludes
    var formats: [(NamePattern, any BlockFormat)] = []
    for choice in tensorFormats {
      formats.append(
        (choice.pattern, try Self.format(choice.format, dialect, "--tensor-format")))
    }
    self.formats = formats
    if let plan {
      var planned: [String: any BlockFormat] = [:]
      for (name, format) in plan { planned[name] = try Self.format(format, dialect, "--plan") }
      self.plan = planned
    } else {
      self.plan = nil
    }
    fallback = try format.map { text throws(CommandError) in
      try Self.format(text, dialect, "--format")
    }
  }

  private static func format(
    _ text: String, _ dialect: Dialect, _ option: String
  ) throws(CommandError) -> any BlockFormat {
    do {
      return try dialect.format(named: text)
    } catch {
      throw .usage("\(option): \(error.description)")
    }
  }

  /// The request that these choices are.
  func request(_ requantization: QuantizationRequest.Requantization, _ parallelism: Parallelism)
    -> QuantizationRequest
  {
    var request = QuantizationRequest(dialect: dialect, format: CastFormat.cast(to: .fp32))
    request.isChosen = { [self] name in try isChosen(name) }
    request.format = { [self] name in try format(of: name) }
    request.requantization = requantization
    request.parallelism = parallelism
    return request
  }

  private func isChosen(_ name: String) throws(CommandError) -> Bool? {
    if try matches(name, excludes, "--exclude") { return false }
    if !includes.isEmpty { return try matches(name, includes, "--include") }
    if let plan { return plan[name] != nil }
    if try matches(name, formats.map(\.pattern), "--tensor-format") { return true }
    return nil
  }

  private func format(of name: String) throws(CommandError) -> (any BlockFormat)? {
    for (pattern, format) in formats where try matches(name, [pattern], "--tensor-format") {
      return format
    }
    return plan?[name] ?? fallback
  }

  private func matches(
    _ name: String, _ patterns: [NamePattern], _ option: String
  ) throws(CommandError) -> Bool {
    for pattern in patterns {
      var spent = work.withLock { $0 }
      let isMatch = try pattern.matches(name, of: option, work: &spent)
      work.withLock { $0 = max($0, spent) }
      if isMatch { return true }
    }
    return false
  }
}
