/// A text file in which marked regions are generated and all else is written by hand.
///
/// A region begins with the line `<!-- generated: NAME -->` and ends with `<!-- end -->`. A line
/// `<!-- continued: PATH -->` names another file of the same kind, from the folder of this one.
struct GeneratedDocument {
  /// A stretch of the file.
  private enum Piece {
    case prose([Substring])
    case region(name: String, lines: [Substring])
  }

  private static let head = "<!-- generated: "
  private static let continuation = "<!-- continued: "
  private static let tail = " -->"
  private static let end = "<!-- end -->"

  private var pieces: [Piece] = []

  /// Splits a text into prose and regions.
  init(_ text: String) throws(DocumentError) {
    var prose: [Substring] = []
    var region: (name: String, line: Int, lines: [Substring])?
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      if line.hasPrefix(Self.head), line.hasSuffix(Self.tail) {
        if let region { throw .unclosedRegion(region.name, line: region.line) }
        let name = line.dropFirst(Self.head.count).dropLast(Self.tail.count)
        pieces.append(.prose(prose))
        prose = []
        region = (String(name), index + 1, [])
      } else if line == Self.end {
        guard let open = region else { throw .strayEnd(line: index + 1) }
        pieces.append(.region(name: open.name, lines: open.lines))
        region = nil
      } else if region != nil {
        region?.lines.append(line)
      } else {
        prose.append(line)
      }
    }
    if let region { throw .unclosedRegion(region.name, line: region.line) }
    pieces.append(.prose(prose))
  }

  /// The files that the document goes on in, in order.
  var continuations: [String] {
    pieces.flatMap { piece -> [String] in
      guard case .prose(let lines) = piece else { return [] }
      return lines.filter { $0.hasPrefix(Self.continuation) && $0.hasSuffix(Self.tail) }.map {
        String($0.dropFirst(Self.continuation.count).dropLast(Self.tail.count))
      }
    }
  }

  /// The names of all regions in order.
  var regionNames: [String] {
    pieces.compactMap { if case .region(let name, _) = $0 { name } else { nil } }
  }

  /// The whole text with every region's lines replaced, and the names of those that differed.
  ///
  /// - Parameter content: the text of a region, without line ends around it; nil if unknown.
  func updated(
    _ content: (String) -> String?
  ) throws(DocumentError) -> (text: String, drifted: [String]) {
    var lines: [Substring] = []
    var drifted: [String] = []
    for piece in pieces {
      switch piece {
      case .prose(let prose): lines += prose
      case .region(let name, let old):
        guard let text = content(name) else { throw .unknownRegion(name) }
        let new = ("\n" + text + "\n").split(separator: "\n", omittingEmptySubsequences: false)
        if new != old { drifted.append(name) }
        lines.append(Substring(Self.head + name + Self.tail))
        lines += new
        lines.append(Substring(Self.end))
      }
    }
    return (lines.joined(separator: "\n"), drifted)
  }
}

/// Why a document cannot be generated.
enum DocumentError: Error, Equatable, CustomStringConvertible {
  case unclosedRegion(String, line: Int)
  case strayEnd(line: Int)
  case unknownRegion(String)

  var description: String {
    switch self {
    case .unclosedRegion(let name, let line):
      "line \(line): region '\(name)' is not closed before the next one or the end"
    case .strayEnd(let line): "line \(line): end of a region that was not begun"
    case .unknownRegion(let name): "no region is named '\(name)'"
    }
  }
}
