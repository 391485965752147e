import CallerChecks

/// Writes NumPy `.npy` files, byte for byte as NumPy does.
public enum NpyWriter {
  /// Writes an array of `<f4`, version 1.0, to a file that appears complete or not at all.
  ///
  /// - Parameters:
  ///   - values: The elements, row-major; their bit patterns are stored as they are.
  ///   - shape: The extents, outermost first; empty for a scalar.
  ///   - path: The file to create or replace.
  /// - Precondition: No extent is negative, their product is the number of values, and there are at
  ///   most 64 of them, which is NumPy's own limit.
  /// - Throws: What `AtomicFileWriter` throws. An existing file is then as it was.
  public static func write(
    floats values: [Float], shape: [Int], to path: String
  ) throws(TensorFileError) {
    require(shape.allSatisfy { $0 >= 0 }, "negative extent in shape \(shape)")
    require(shape.count <= 64, "\(shape.count) axes, NumPy allows 64")
    require(
      checkedElementCount(shape) == values.count,
      "shape \(shape) does not hold \(values.count) values")
    var writer = try AtomicFileWriter(path: path)
    try writer.write(header(shape))
    #if _endian(big)
    try writer.write(littleEndianBytes(values))
    #else
    try values.withUnsafeBufferPointer { (buffer) throws(TensorFileError) in
      try writer.write(UnsafeRawBufferPointer(buffer))
    }
    #endif
    try writer.commit()
  }

  private static func header(_ shape: [Int]) -> [UInt8] {
    let list = shape.map(String.init).joined(separator: ", ")
    let tuple = shape.count == 1 ? "(\(list),)" : "(\(list))"
    var text = "{'descr': '<f4', 'fortran_order': False, 'shape': \(tuple), }"
    if let first = shape.first {
      // NumPy leaves room for the first extent to grow to 21 digits in place.
      text += String(repeating: " ", count: max(0, 21 - String(first).utf8.count))
    }
    // Magic, version, length and text, which ends in a line feed, fill a multiple of 64 bytes.
    // NumPy adds 64 spaces, not none, where they already do.
    let prefixCount = 10
    text += String(repeating: " ", count: 64 - (prefixCount + text.utf8.count + 1) % 64) + "\n"
    let length = UInt16(text.utf8.count)
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xff), UInt8(length >> 8)]
      + Array(text.utf8)
  }
}
