import BlockFormats
import Foundation
import Testing

@testable import FormatBench

@Suite("What speed measurements are made of")
struct SpeedInputTests {
  @Test("Median and quartiles interpolate between neighbours")
  func statistics() {
    // Positions of the quartiles among 1 2 4 8: 0.75 and 2.25, that is 1.75 and 5.
    let four = RepeatStatistics([8, 1, 4, 2])
    #expect(four.median == 3)
    #expect(four.spread == 3.25 / 3)
    let five = RepeatStatistics([5, 3, 1, 4, 2])
    #expect(five.median == 3)
    #expect(five.spread == 2.0 / 3)
    let one = RepeatStatistics([0.25])
    #expect(one.median == 0.25 && one.spread == 0)
  }

  @Test("Work takes turns, and calls before a measurement are not timed")
  func turns() {
    var order = ""
    let clock = RepeatClock(repeats: 2, leastSeconds: 0)
    let seconds = clock.seconds(
      of: [{ order += "a" }, { order += "b" }], preparation: .call)
    #expect(order == "aabb" + "aabb" + "aabb")
    #expect(seconds.count == 2)
    #expect(seconds.allSatisfy { $0.median > 0 })
  }

  @Test("The processor's name and the caches are read as Linux tells them")
  func machine() throws {
    let list = "processor\t: 0\nmodel\t\t: 85\nmodel name\t: A CPU: fast\nmodel name\t: B\n"
    #expect(MachineFacts.modelName(inProcessorList: list) == "A CPU: fast")
    #expect(MachineFacts.modelName(inProcessorList: "processor\t: 0\nBogoMIPS\t: 50\n") == nil)
    for (text, bytes) in [("48K", 49152), ("1024K", 1 << 20), ("32M", 32 << 20), ("512", 512)] {
      #expect(MachineFacts.byteCount(ofSize: text) == bytes)
    }
    for text in ["", "K", "0K", "-1K", "12G3"] {
      #expect(MachineFacts.byteCount(ofSize: text) == nil)
    }

    let folder = try TemporaryFolder()
    for (index, lines) in [
      ("1", "Data", "48K"), ("1", "Instruction", "32K"), ("2", "Unified", "2048K"),
      ("3", "Unified", "32M"),
    ].enumerated() {
      let path = folder.path("index\(index)")
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      for (name, text) in [("level", lines.0), ("type", lines.1), ("size", lines.2)] {
        try (text + "\n").write(toFile: path + "/" + name, atomically: false, encoding: .utf8)
      }
    }
    let caches = MachineFacts.dataCaches(in: folder.path(""))
    #expect(caches.map(\.level) == [1, 2, 3])
    #expect(caches.map(\.byteCount) == [48 << 10, 2 << 20, 32 << 20])
  }

  @Test("Tensors fill half the second level with their results, and memory beyond the caches")
  func sizes() {
    func sizes(_ l2: Int?, _ llc: Int?, _ memory: Int) -> PlacementSizes {
      PlacementSizes(
        MachineFacts(
          processor: nil, l2ByteCount: l2, lastLevelByteCount: llc, memoryByteCount: memory))
    }
    let large = sizes(2 << 20, 32 << 20, 64 << 30)
    #expect(large.shape(.l2, threads: 1, input: .float32) == [128, 1024])
    #expect(large.shape(.l2, threads: 3, input: .bfloat16) == [768, 1024])
    // Values of four times 32 MiB: 2^25 of FP32, whatever the threads.
    #expect(large.shape(.dram, threads: 1, input: .float32) == [8192, 4096])
    #expect(large.shape(.dram, threads: 4, input: .float32) == [8192, 4096])
    #expect(large.shape(.dram, threads: 1, input: .float16) == [16384, 4096])
    #expect(sizes(nil, 1 << 20, 64 << 30).shape(.l2, threads: 1, input: .float32) == [64, 1024])
    #expect(sizes(nil, 1 << 20, 64 << 30).dramByteCount == 4 << 24)
    #expect(sizes(nil, 512 << 20, 64 << 30).dramByteCount == 4 << 26)
    #expect(sizes(nil, 32 << 20, 1 << 30).dramByteCount == 1 << 26)
  }

  @Test("Values are the seed's, no block is constant, and 16-bit values are those rounded")
  func values() {
    let count = 5000
    let floats = SpeedBuffers.floats(count, seed: 1)
    #expect(floats == SpeedBuffers.floats(count, seed: 1))
    #expect(floats != SpeedBuffers.floats(count, seed: 2))
    for start in stride(from: 0, to: count - 16, by: 16) {
      #expect(Set(floats[start..<start + 16]).count > 8)
    }
    let buffers = SpeedBuffers(seed: 1)
    for length in [64, count, 64] {
      let values = buffers.values(length, as: .float32).bindMemory(to: Float.self)
      #expect(Array(values) == Array(floats.prefix(length)))
    }
    // Exact but for a rounding to nearest: half a unit in the last of 8 or 11 bits. FP16 adds half
    // its smallest subnormal.
    for (type, element, relative, absolute) in [
      (ScalarType.bfloat16, ElementFormat.bf16, 0x1p-8, 0.0), (.float16, .fp16, 0x1p-11, 0x1p-25),
    ] {
      let values = buffers.values(count, as: type).bindMemory(to: UInt16.self)
      #expect(values.count == count)
      for (code, float) in zip(values, floats) {
        let value = element.value(of: UInt32(UInt16(littleEndian: code)))
        let bound = relative * Double(float.magnitude) + absolute
        #expect((value - Double(float)).magnitude <= bound)
      }
    }
  }
}
