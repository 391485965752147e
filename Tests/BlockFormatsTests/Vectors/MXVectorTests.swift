import BlockFormats
import FormatTestSupport
import Testing

@Suite("MX vectors of torchao and an exact encoder")
struct MXVectorTests {
  /// The fields of one block under a rule.
  private func encode(
    _ block: MXVectors.Block, _ file: MXVectors
  ) throws -> (scale: Int, codes: [Int], decoded: [Float]) {
    let name = try #require(block.element ?? file.element)
    let element = try ElementFormat(parsing: name == "int8" ? "mxint8" : name)
    let format = SharedExponentFormat.mx(element: element, block: file.blockSize)
    var policy = format.defaultPolicy
    policy.scaleRule =
      switch try #require(block.rule ?? file.rule) {
      case .floor: .powerOfTwo(.floor)
      case .ceil: .powerOfTwo(.ceil)
      case .even: .powerOfTwo(.even)
      case .rceil: .powerOfTwo(.rceil)
      }
    let tensor = block.input.values.quantized(to: format, policy: policy)
    let scales = tensor.scales.unpacked()
    #expect(scales.count == 1)
    return (
      Int(scales[0]), tensor.codes.unpacked().map(Int.init), tensor.dequantized().elements
    )
  }

  private func agrees(_ block: MXVectors.Block, _ file: MXVectors) throws -> Bool {
    let actual = try encode(block, file)
    guard actual.scale == block.scale else { return false }
    if block.scale == 255 { return actual.decoded.filter(\.isNaN).count == actual.decoded.count }
    guard let codes = block.codes, codes.count == actual.codes.count else { return false }
    let published = block.decoded.values
    return actual.codes.indices.allSatisfy { index in
      // Some finite values decode to infinity there; here to the largest value that does not.
      if published[index].isInfinite && block.input.values[index].isFinite {
        return actual.codes[index] == codes[index] - 1 && actual.decoded[index].isFinite
      }
      return actual.codes[index] == codes[index]
        && actual.decoded[index].bitPattern == published[index].bitPattern
    }
  }

  @Test("Every block has the published scale, codes and values")
  func blocks() throws {
    var count = 0
    for path in try VectorFile.paths(in: "mx") {
      let file = try VectorFile.load(MXVectors.self, from: path)
      for block in file.blocks {
        // The file divides by 127/64, the rule multiplies by its FP32 reciprocal: one ulp above the
        // largest element the quotient exceeds 1 and the product does not.
        let isKnown =
          path == "mx/exact_int8_rceil.json" && block.name.hasPrefix("amax 127/64, 1 ulp")
        #expect(try agrees(block, file) != isKnown, "\(path): \(block.name)")
        if isKnown { #expect(try encode(block, file).scale == block.scale - 1) }
        count += 1
      }
    }
    #expect(count > 500)
  }

  @Test("Where torchao departs from the published rule, the exact answer is given")
  func differences() throws {
    var count = 0
    for path in try VectorFile.paths(in: "mx") {
      let file = try VectorFile.load(MXVectors.self, from: path)
      for difference in file.differences ?? [] {
        #expect(try agrees(difference.exact, file), "\(path): \(difference.exact.name)")
        count += 1
      }
    }
    #expect(count > 0)
  }
}
