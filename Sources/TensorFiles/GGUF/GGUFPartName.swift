/// The name of one file of a model that is split over several: `NAME-00002-of-00003.gguf`.
///
/// Source: llama.cpp's `llama_split_path`.
struct GGUFPartName: Hashable {
  /// What comes before the numbers, with the folder.
  let prefix: String
  /// The place of the file among all, from 0; names count from 1.
  let index: Int
  /// The number of files.
  let count: Int

  /// The name of a part.
  init(prefix: String, index: Int, count: Int) {
    self.prefix = prefix
    self.index = index
    self.count = count
  }

  /// The name of the part that a path states, or nil if it ends otherwise than such names do.
  init?(path: String, index: Int, count: Int) {
    let ending = GGUFPartName(prefix: "", index: index, count: count).path
    let (head, tail) = (path.utf8.dropLast(ending.utf8.count), path.utf8.suffix(ending.utf8.count))
    guard !head.isEmpty, tail.elementsEqual(ending.utf8) else { return nil }
    self.init(prefix: String(decoding: head, as: UTF8.self), index: index, count: count)
  }

  /// The path.
  var path: String { "\(prefix)-\(Self.digits(index + 1))-of-\(Self.digits(count)).gguf" }

  /// A number in five digits at least.
  private static func digits(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, 5 - text.utf8.count)) + text
  }
}
