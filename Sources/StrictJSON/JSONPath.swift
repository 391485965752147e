/// The way from a whole text to a value in it, such as `.rules[2].blocks`.
package struct JSONPath: Hashable, Sendable, CustomStringConvertible {
  /// One step down.
  package enum Step: Hashable, Sendable {
    /// To the value of a key of an object.
    case key(String)
    /// To an element of an array, counted from 0.
    case index(Int)
  }

  /// The steps, the outermost first.
  package internal(set) var steps: [Step] = []

  /// As JavaScript writes it, behind the name of the whole.
  package var description: String {
    steps.map { step in
      switch step {
      case .key(let key): ".\(key)"
      case .index(let index): "[\(index)]"
      }
    }
    .joined()
  }
}
