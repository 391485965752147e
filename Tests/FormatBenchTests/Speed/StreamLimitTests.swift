import BlockFormats
import Testing

@testable import FormatBench

@Suite("The loops that only move bytes")
struct StreamLimitTests {
  private static let widths = [16, 32, 64].filter { $0 <= StreamLimit.machineVectorByteCount }

  /// The sum that a loop over single words gives, missing bytes being 0.
  private func sum(_ bytes: [UInt8]) -> UInt64 {
    stride(from: 0, to: bytes.count, by: 8).reduce(0 as UInt64) { sum, start in
      var word: UInt64 = 0
      for (place, byte) in bytes[start..<min(start + 8, bytes.count)].enumerated() {
        word |= UInt64(byte) << (8 * place)
      }
      return sum &+ UInt64(littleEndian: word)
    }
  }

  /// Moves bytes between aligned buffers with guards around the output, and checks both.
  private func check(
    _ inputCount: Int, _ outputCount: Int, elementCount: Int, threads: Int, width: Int
  ) {
    let input = UnsafeMutableRawBufferPointer.allocate(byteCount: inputCount, alignment: 64)
    let output = UnsafeMutableRawBufferPointer.allocate(byteCount: outputCount + 128, alignment: 64)
    defer {
      input.deallocate()
      output.deallocate()
    }
    var state: UInt32 = 1
    for i in input.indices {
      state = state &* 1_664_525 &+ 1_013_904_223
      input[i] = UInt8(state >> 24)
    }
    let expected = sum(Array(input))
    for stores in StreamLimit.Stores.allCases {
      output.initializeMemory(as: UInt8.self, repeating: 0x11)
      let limit = StreamLimit(
        input: UnsafeRawBufferPointer(input),
        output: UnsafeMutableRawBufferPointer(rebasing: output[64..<64 + outputCount]),
        elementCount: elementCount, parallelism: .threads(threads), vectorByteCount: width)
      let found = limit.move(stores)
      let comment: Comment = "\(inputCount) to \(outputCount), \(stores), \(threads), \(width)"
      #expect(found == expected, comment)
      #expect(output[64..<64 + outputCount].allSatisfy { $0 == StreamLimit.pattern }, comment)
      #expect(output[..<64].allSatisfy { $0 == 0x11 }, comment)
      #expect(output[(64 + outputCount)...].allSatisfy { $0 == 0x11 }, comment)
    }
  }

  @Test("Every byte is read and written once and none beside them, at every width and ratio")
  func everyByte() {
    let sizes = [0, 1, 7, 8, 63, 64, 65, 1000, 1024, 4096, 8191, 20_003]
    for width in Self.widths {
      for input in sizes {
        for output in sizes { check(input, output, elementCount: 1, threads: 1, width: width) }
      }
    }
  }

  @Test("Threads share the bytes without a gap")
  func threads() {
    // Three parts, since the fewest elements worth a thread are 2^16.
    let elements = 3 << 16
    for (input, output) in [(4 * elements, elements / 2 + 13), (elements / 2 + 13, 4 * elements)] {
      check(input, output, elementCount: elements, threads: 3, width: Self.widths[0])
    }
  }
}
