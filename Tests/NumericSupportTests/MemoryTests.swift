import Foundation
import NumericSupport
import Testing

@Suite("Memory and powers of two")
struct MemoryTests {
  @Test("Values that share an allocation are aligned and do not overlap")
  func cuts() {
    var cuts = MemoryCuts()
    #expect(cuts.cut(UInt8.self, count: 3) == 0)
    #expect(cuts.cut(Double.self, count: 2) == 8)
    #expect(cuts.cut(UInt16.self) == 24)
    #expect(cuts.cut(UInt32.self, count: 0) == 28)
    #expect(cuts.cut(UInt8.self) == 28)
    #expect(cuts.byteCount == 29)
  }

  @Test("Scaling by a power of two is that of the C library, over all exponents")
  func powersOfTwo() {
    let numbers = [1, -1, 1.5, -0.0, 0x1.fffffffffffffp+3, 0x1.23456789abcdep-1000, 0x1p-1074]
    for x in numbers + [.infinity] {
      let wrong = (-2200...2200).filter {
        Double.scaled(x, byPowerOfTwo: $0).bitPattern != scalbn(x, $0).bitPattern
      }
      #expect(wrong.isEmpty, "\(x)")
    }
  }
}
