/// Places of values in one allocation, each after the one before and aligned for its type.
package struct MemoryCuts {
  /// The bytes up to the end of the last values.
  @usableFromInline package internal(set) var byteCount = 0

  @inlinable
  package init() {}

  /// The offset of the next values.
  @inlinable
  package mutating func cut<Value>(_ type: Value.Type, count: Int = 1) -> Int {
    let mask = MemoryLayout<Value>.alignment - 1
    let offset = (byteCount + mask) & ~mask
    byteCount = offset + count * MemoryLayout<Value>.stride
    return offset
  }
}
