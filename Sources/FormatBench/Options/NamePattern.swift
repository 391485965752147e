import CommandLineToolkit
import Foundation
import TensorFiles
import UntrustedText

/// A regular expression that chooses tensors by their names, and gives up where that would take long.
///
/// The syntax is ICU's, matched anywhere in the name. Its matcher backtracks, so that some expressions
/// take time exponential in the length of a name: `^(a+)+$` does. Names come from files that anyone
/// may have written, so steps are counted; the limit is the same on every machine.
struct NamePattern: Sendable {
  /// The expression as given.
  let source: String
  /// The expression behind anything, so that one anchored match is a whole search.
  private let search: NSRegularExpression

  /// The longest name that is looked at, in UTF-16 units: between two steps that are counted, a
  /// repetition that cannot be taken back may pass over a whole name.
  static let nameLimit = 1024
  /// The most tens of thousands of steps on one name: a fraction of a second.
  static let nameWorkLimit = 100
  /// The most on all names together: some seconds.
  static let workLimit = 2000

  /// Takes an expression; nil if it is none.
  init?(_ source: String) {
    guard !source.isEmpty, (try? NSRegularExpression(pattern: source)) != nil else { return nil }
    // What ends the expression must also end a comment or a quotation that the expression leaves open.
    let endings = [")", "\n)", "\\E)"]
    let searches = endings.lazy.compactMap {
      try? NSRegularExpression(pattern: "(?s:.*?)(?:" + source + $0)
    }
    guard let search = searches.first else { return nil }
    self.source = source
    self.search = search
  }

  /// Whether the expression matches in a name.
  ///
  /// - Parameters:
  ///   - option: the option that it was given for, in errors.
  ///   - work: what names have taken so far, in tens of thousands of steps.
  /// - Throws: `.usage` beyond either limit of work, `.input` for a name beyond `nameLimit`.
  func matches(
    _ name: String, of option: String = "--tensor", work: inout Int
  ) throws(CommandError) -> Bool {
    let length = name.utf16.count
    guard length <= Self.nameLimit else {
      throw .input("a tensor's name of \(length) characters is too long for \(option)")
    }
    let left = min(Self.nameWorkLimit, Self.workLimit - work)
    var spent = 0
    var isMatch = false
    var isGivenUp = false
    search.enumerateMatches(
      in: name, options: [.anchored, .reportProgress], range: NSRange(location: 0, length: length)
    ) { match, flags, stop in
      if flags.contains(.progress) { spent += 1 }
      isMatch = match != nil
      isGivenUp = spent > left || flags.contains(.internalError)
      if isMatch || isGivenUp { stop.pointee = true }
    }
    work += spent
    guard isGivenUp, !isMatch else { return isMatch }
    throw .usage(
      "\(option): '\(source)' takes too many steps on the name '\(printable(name))'",
      hint: "a repetition within a repetition, as in '(a+)+', may be what takes them")
  }
}

extension ValueKind<NamePattern> {
  /// A regular expression for names.
  static let namePattern = ValueKind(
    placeholder: "REGEX", accepted: "a regular expression"
  ) { (text) throws(ValueFailure) in
    guard let pattern = NamePattern(text) else { throw .notAccepted }
    return pattern
  }
}
