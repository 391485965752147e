/// Runs `body` with the values of a caller's buffer as aligned FP32, copied where they are not.
func withFloats<Result>(
  _ values: UnsafeRawBufferPointer, _ type: ScalarType,
  _ body: (UnsafeBufferPointer<Float>) -> Result
) -> Result {
  if type == .float32, values.isAligned(to: Float.self) {
    return body(values.assumingMemoryBound(to: Float.self))
  }
  let count = values.count / type.byteCount
  let widened = [Float](unsafeUninitializedCapacity: count) { buffer, initializedCount in
    for index in 0..<count { buffer[index] = type.load(values, at: index) }
    initializedCount = count
  }
  return widened.withUnsafeBufferPointer(body)
}

/// Runs `body` with aligned FP32 memory for a result, which then lies in the caller's buffer.
///
/// - Parameter source: values that `body` still reads while it writes the result.
func withFloatResult<Result>(
  _ result: UnsafeMutableRawBufferPointer, _ type: ScalarType,
  sharing source: UnsafeBufferPointer<Float>?,
  _ body: (UnsafeMutableBufferPointer<Float>) -> Result
) -> Result {
  let isShared =
    source.map { UnsafeRawPointer($0.baseAddress) == UnsafeRawPointer(result.baseAddress) } ?? false
  if type == .float32, !isShared, UnsafeRawBufferPointer(result).isAligned(to: Float.self) {
    return body(result.assumingMemoryBound(to: Float.self))
  }
  let count = result.count / type.byteCount
  let floats = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
  defer { floats.deallocate() }
  let value = body(floats)
  for index in 0..<count { type.store(floats[index], to: result, at: index) }
  return value
}

extension UnsafeRawBufferPointer {
  fileprivate func isAligned<Value>(to type: Value.Type) -> Bool {
    UInt(bitPattern: baseAddress) % UInt(MemoryLayout<Value>.alignment) == 0
  }
}

extension ScalarType {
  /// The value at an index, exact.
  fileprivate func load(_ values: UnsafeRawBufferPointer, at index: Int) -> Float {
    if self == .float32 {
      return values.loadUnaligned(fromByteOffset: 4 * index, as: Float.self)
    }
    let bits = UInt32(values.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
    if self == .bfloat16 { return Float(bitPattern: bits << 16) }
    return Float(ElementFormat.fp16.value(of: bits)).canonicalNaN
  }

  /// Rounds a value to nearest, ties to even, and stores it at an index.
  fileprivate func store(
    _ value: Float, to result: UnsafeMutableRawBufferPointer, at index: Int
  ) {
    switch self {
    case .float32: result.storeBytes(of: value, toByteOffset: 4 * index, as: Float.self)
    case .float16, .bfloat16:
      let element: ElementFormat = self == .float16 ? .fp16 : .bf16
      result.storeBytes(
        of: UInt16(element.code(for: Double(value), overflow: .special)),
        toByteOffset: 2 * index, as: UInt16.self)
    }
  }
}
