import Testing

@testable import QuantizedLinearAlgebra

@Suite("Bytes on a cache line boundary")
struct AlignedBytesTests {
  private func address(_ bytes: AlignedBytes) -> UInt {
    bytes.withUnsafeBytes { UInt(bitPattern: $0) }
  }

  private func values(_ bytes: AlignedBytes) -> [UInt8] {
    bytes.withUnsafeBytes {
      Array(UnsafeRawBufferPointer(start: $0, count: bytes.byteCount))
    }
  }

  @Test("They begin as zeros on a boundary", arguments: [0, 1, 63, 64, 1000])
  func zeros(count: Int) {
    let bytes = AlignedBytes(byteCount: count)
    #expect(bytes.byteCount == count && address(bytes) % 64 == 0)
    #expect(values(bytes) == [UInt8](repeating: 0, count: count))
  }

  @Test("A copy keeps its bytes when the other is written, which moves only where it is shared")
  func copies() {
    var bytes = AlignedBytes(byteCount: 3)
    let place = address(bytes)
    bytes.withUnsafeMutableBytes { $0.storeBytes(of: 7, toByteOffset: 1, as: UInt8.self) }
    #expect(address(bytes) == place && values(bytes) == [0, 7, 0])
    let copy = bytes
    #expect(address(copy) == place)
    bytes.withUnsafeMutableBytes { $0.storeBytes(of: 9, toByteOffset: 2, as: UInt8.self) }
    #expect(values(copy) == [0, 7, 0] && values(bytes) == [0, 7, 9])
    #expect(address(copy) == place && address(bytes) != place)
  }
}
