import CommandLineToolkit

/// Where the elements of one tensor are read from, a part at a time.
struct ElementReader {
  /// The elements of a range, counted row-major, as FP32.
  let read: (Range<Int>) throws(CommandError) -> [Float]

  /// Reads parts as they are asked for.
  init(_ read: @escaping (Range<Int>) throws(CommandError) -> [Float]) { self.read = read }

  /// Hands out parts of what cannot be had in parts.
  init(whole elements: [Float]) {
    read = { range in range == elements.indices ? elements : Array(elements[range]) }
  }
}
