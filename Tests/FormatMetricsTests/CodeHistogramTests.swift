import FormatMetrics
import Testing

@Suite("Code histogram")
struct CodeHistogramTests {
  @Test("Codes are counted, whatever integers hold them, and the others are unused")
  func counts() {
    var histogram = CodeHistogram(bitWidth: 2)
    #expect(histogram.unusedCodes == [0, 1, 2, 3])
    histogram.add(contentsOf: [3, 1, 3] as [UInt32])
    histogram.add(contentsOf: [1] as [UInt8])
    #expect(histogram.counts == [0, 2, 0, 2])
    #expect(histogram.totalCount == 4)
    #expect(histogram.unusedCodes == [0, 2])
  }

  @Test("Merging adds counts")
  func merge() {
    var a = CodeHistogram(bitWidth: 1)
    a.add(contentsOf: [0, 0] as [UInt16])
    var b = CodeHistogram(bitWidth: 1)
    b.add(contentsOf: [0, 1] as [UInt16])
    a.merge(b)
    #expect(a.counts == [3, 1])
  }

  @Test("All codes of 16 bits have a place")
  func sixteenBits() {
    var histogram = CodeHistogram(bitWidth: 16)
    histogram.add(contentsOf: (0...UInt16.max).dropFirst(2))
    #expect(histogram.unusedCodes == [0, 1])
    #expect(histogram.totalCount == 65_534)
  }

  @Test("A code that does not fit is refused")
  func oversizedCode() async {
    await #expect(processExitsWith: .failure) {
      var histogram = CodeHistogram(bitWidth: 4)
      histogram.add(contentsOf: [16] as [UInt32])
    }
  }
}
