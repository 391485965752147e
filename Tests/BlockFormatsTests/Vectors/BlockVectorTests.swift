import BlockFormats
import FormatTestSupport
import Testing

@Suite("Vectors of NVFP4, microexponents and scaled FP8")
struct BlockVectorTests {
  @Test("NVFP4 has TransformerEngine's scales, codes and values at every step")
  func nvfp4Steps() throws {
    let file = try VectorFile.load(NVFP4StepVectors.self, from: "nvfp4/te_steps.json")
    #expect(file.tensors.count >= 9)
    for tensor in file.tensors {
      let values = tensor.blocks.flatMap(\.input.values)
      let statistics = values.withUnsafeBufferPointer { ValueStatistics($0) }
      #expect(statistics.amax.bitPattern == tensor.amax.bitPatterns[0])
      let format = TwoLevelFormat.nvfp4
      let scale = format.tensorScale(for: statistics, policy: format.defaultPolicy)
      #expect(scale.encode.bitPattern == tensor.encodeScale.bitPatterns[0], "\(tensor.name)")
      #expect(scale.decode.bitPattern == tensor.decodeScale.bitPatterns[0], "\(tensor.name)")

      let encoded = values.quantized(to: format)
      #expect(encoded.tensorScale == scale.decode)
      #expect(encoded.scales.unpacked().map(Int.init) == tensor.blocks.map(\.scale))
      let (codes, decoded) = (encoded.codes.unpacked(), encoded.dequantized().elements)
      for (number, block) in tensor.blocks.enumerated() {
        let range = number * file.blockSize..<(number + 1) * file.blockSize
        guard block.scale != 0 else {
          // The file keeps the codes of an underflowed block; here they are zero, and so are the
          // values of both.
          #expect(codes[range].allSatisfy { $0 == 0 } && decoded[range].allSatisfy { $0 == 0 })
          #expect(block.decoded.values.allSatisfy { $0 == 0 })
          continue
        }
        #expect(codes[range].map(Int.init) == block.codes, "\(tensor.name) \(number)")
        let bits: [UInt32] = decoded[range].map(\.bitPattern)
        #expect(bits == block.decoded.bitPatterns, "\(tensor.name) \(number)")
      }
    }
  }

  @Test("With torchao's floor NVFP4 has its scales, and its codes but at halfway points")
  func nvfp4Torchao() throws {
    let file = try VectorFile.load(NVFP4Vectors.self, from: "nvfp4/torchao_per_tensor.json")
    var policy = TwoLevelFormat.nvfp4.defaultPolicy
    policy.scaleFloor = .leastNormal
    for item in file.cases {
      let encoded = Tensor(item.input.values, shape: [item.rows, item.columns])
        .quantized(to: .nvfp4, policy: policy)
      #expect(encoded.scales.unpacked().map(Int.init) == item.scales, "\(item.name)")
      let codes = encoded.codes.unpacked().map(Int.init)
      let differing = zip(codes, item.codes).filter { $0 != $1 }
      // (1 / (amax / 2688)) / s and 1 / (s · (1 / (2688 / amax))) may differ in the last bit, which
      // shows only where x times it lies between two elements.
      #expect(item.name == "halfway points" || differing.isEmpty, "\(item.name)")
      #expect(differing.allSatisfy { abs($0.0 - $0.1) == 1 })
    }
  }

  @Test("BDR and MSFP blocks have the exact exponents, microexponents, magnitudes and values")
  func microexponents() throws {
    var count = 0
    for path in try VectorFile.paths(in: "bdr") {
      let file = try VectorFile.load(MicroexponentVectors.self, from: path)
      let format =
        file.subScaleBits == 0
        ? SharedExponentFormat.blockFloatingPoint(
          m: file.mantissaBits, block: file.blockSize, exponentBitCount: file.scaleBits)
        : .bdr(
          m: file.mantissaBits, k1: file.blockSize, k2: file.subBlockSize, d1: file.scaleBits,
          d2: file.subScaleBits)
      for block in file.cases {
        var policy = format.defaultPolicy
        policy.rounding = block.rounding == .truncate ? .towardZero : .toNearestOrEven
        let encoded = block.input.values.quantized(to: format, policy: policy)
        let label = "\(path): \(block.name) \(block.rounding)"
        #expect(encoded.scales.unpacked() == [UInt32(block.exponentByte)], "\(label)")
        count += 1
        guard block.exponentByte != 255 else {
          #expect(encoded.dequantized().elements.filter { !$0.isNaN }.isEmpty, "\(label)")
          continue
        }
        if file.subScaleBits > 0 {
          #expect(encoded.subscales.unpacked().map(Int.init) == block.subScales, "\(label)")
        }
        let codes = zip(block.signs, block.magnitudes).map { $0 << file.mantissaBits | $1 }
        #expect(encoded.codes.unpacked().map(Int.init) == codes, "\(label)")
        #expect(
          encoded.dequantized().elements.map(\.bitPattern) == block.decoded.bitPatterns, "\(label)")
      }
    }
    #expect(count > 300)
  }

  @Test("FP8 has the transcribed scales and codes per tensor, row and tile")
  func scaledFP8() throws {
    var count = 0
    for path in try VectorFile.paths(in: "fp8_scaled") {
      for item in try VectorFile.load(ScaledFP8Vectors.self, from: path).cases {
        let block: BlockShape =
          switch path {
          case "fp8_scaled/per_tensor.json": .tensor
          case "fp8_scaled/per_row.json": .row
          default:
            item.tileRows == 1
              ? .vector(length: item.tileColumns)
              : .tile(rows: item.tileRows, columns: item.tileColumns)
          }
        let format = ScaledFormat.fp8(try ElementFormat(parsing: item.element), block: block)
        var policy = format.defaultPolicy
        if item.powerOfTwoScale { policy.scaleRule = .amaxPowerOfTwo }
        let encoded = Tensor(item.inputValues, shape: [item.rows, item.columns])
          .quantized(to: format, policy: policy)
        let label = "\(path): \(item.name) \(item.element)"
        #expect(encoded.scales.unpacked() == item.decodeScales.bitPatterns, "\(label)")
        let actual = encoded.codes.unpacked()
        let decoded = encoded.dequantized().elements
        // Finite values that decode to infinity there; here to the largest value that does not.
        let limited = item.codes.indices.filter { index in
          item.inputValues[index].isFinite && item.decoded?.values[index].isInfinite ?? false
        }
        for index in limited {
          #expect(actual[index] == UInt32(item.codes[index]) - 1, "\(label) element \(index)")
          #expect(decoded[index].isFinite, "\(label) element \(index)")
        }
        // A NaN's sign is the tool's choice: 0x7F and 0xFF, or 0x7E and 0xFE, are one value.
        for (index, code) in item.codes.enumerated()
        where actual[index] != UInt32(code) && !limited.contains(index) {
          let values = (
            format.element.value(of: actual[index]), format.element.value(of: UInt32(code))
          )
          #expect(values.0.isNaN && values.1.isNaN, "\(label) element \(index)")
        }
        if let published = item.decoded?.bitPatterns {
          let differ = decoded.indices.filter { decoded[$0].bitPattern != published[$0] }
          #expect(differ == limited, "\(label)")
        }
        count += 1
      }
    }
    #expect(count > 10)
  }
}
