import BlockFormats
import FormatTestSupport
import Testing

@Suite("Packed planes")
struct BitPlaneTests {
  @Test("Every width packs as the bit-by-bit oracle does and unpacks to the same codes")
  func everyWidth() {
    var generator = ReferenceBlockRandom(seed: 1)
    for width in 1...32 {
      for length in [0, 1, 2, 3, 7, 8, 9, 17] {
        let codes = (0..<3 * length).map { _ in
          UInt32(truncatingIfNeeded: generator.next() >> UInt64(64 - width))
        }
        let plane = BitPlane(rowCount: 3, rowLength: length, bitWidth: width, codes: codes)
        #expect(
          plane.bytes == ReferenceBlockPacking.pack(codes, rowLength: length, bitWidth: width))
        #expect(plane.unpacked() == codes)
        #expect(plane.bytesPerRow == (length * width + 7) / 8)
        let again = BitPlane(
          rowCount: 3, rowLength: length, bitWidth: width, bytes: plane.bytes)
        #expect(again == plane)
      }
    }
  }

  @Test("The even FP4 code is the low nibble")
  func nibbles() {
    let plane = BitPlane(
      rowCount: 1, rowLength: 32, bitWidth: 4, codes: Array(0..<16) + Array(0..<16))
    let once: [UInt8] = [0x10, 0x32, 0x54, 0x76, 0x98, 0xBA, 0xDC, 0xFE]
    #expect(plane.bytes == once + once)
  }

  @Test("Four FP6 codes fill three bytes from the low bits up")
  func sixBits() {
    // 1 | 2 << 6 | 3 << 12 | 4 << 18 = 0x103081.
    #expect(
      BitPlane(rowCount: 1, rowLength: 4, bitWidth: 6, codes: [1, 2, 3, 4]).bytes
        == [0x81, 0x30, 0x10])
  }

  @Test("Sixteen- and 32-bit codes are little-endian, single bits fill a byte from the lowest")
  func wordsAndBits() {
    #expect(
      BitPlane(rowCount: 1, rowLength: 1, bitWidth: 32, codes: [0x3F80_0102]).bytes
        == [0x02, 0x01, 0x80, 0x3F])
    #expect(
      BitPlane(rowCount: 1, rowLength: 1, bitWidth: 16, codes: [0x1234]).bytes == [0x34, 0x12])
    #expect(
      BitPlane(rowCount: 1, rowLength: 9, bitWidth: 1, codes: [1, 0, 0, 1, 0, 0, 0, 0, 1]).bytes
        == [0x09, 0x01])
  }

  @Test("A row starts on a byte and its unused bits are zero")
  func padding() {
    let plane = BitPlane(
      rowCount: 2, rowLength: 3, bitWidth: 5, codes: [UInt32](repeating: 31, count: 6))
    #expect(plane.bytes == [0xFF, 0x7F, 0xFF, 0x7F])
    // Three FP4 values in a row: the high nibble of the second byte belongs to nobody.
    let tensor = Tensor([-6, -6, -6, -6, -6, -6], shape: [2, 3]).quantized(to: .mxfp4)
    #expect(tensor.codes.bytes == [0xFF, 0x0F, 0xFF, 0x0F])
  }

  @Test("Miscounted codes and bytes and impossible widths trap with the numbers")
  func traps() async {
    let codes = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = BitPlane(rowCount: 2, rowLength: 3, bitWidth: 4, codes: [1, 2, 3, 4, 5])
    }
    #expect(reports(codes, "5 codes for 2 rows of 3"))
    let bytes = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = BitPlane(rowCount: 1, rowLength: 3, bitWidth: 4, bytes: [1])
    }
    #expect(reports(bytes, "1 bytes for 1 rows of 3 4-bit codes"))
    let width = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = BitPlane(rowCount: 1, rowLength: 1, bitWidth: 33)
    }
    #expect(reports(width, "33-bit codes are outside 1...32"))
  }
}

/// Whether an exit test's error output holds a message.
func reports(_ result: ExitTest.Result?, _ message: String) -> Bool {
  guard let result else { return false }
  return String(decoding: result.standardErrorContent, as: UTF8.self).contains(message)
}
