import CBlockKernels
import Testing

@testable import BlockFormats

@Suite("Golden hashes of the emulation script")
struct EmulationReferenceTests {
  @Test("Codes under every policy are those of the reference")
  func encodings() throws {
    let golden = try EmulationFiles.golden()
    let rows = EmulationTable.rows.filter { $0.format.isSigned }
    #expect(golden.keys.count { $0.hasPrefix("reference.encode.") } == rows.count)
    for row in rows {
      var hash = EmulationInputs.Hash()
      var tally = EncodingTally()
      for index in 0..<4096 as Range<UInt64> {
        let value = Float(bitPattern: EmulationInputs.sample(1, index))
        hash.add(row.encoder.code(for: Double(value), index: index, tally: &tally))
      }
      #expect(golden["reference.encode.\(row.name)"] == hash.value, "\(row.name)")
    }
  }

  @Test("Values of codes are those of the reference")
  func decodings() throws {
    let golden = try EmulationFiles.golden()
    for format in EmulationTable.elements {
      let width = UInt64(format.bitWidth)
      var hash = EmulationInputs.Hash()
      for index in 0..<UInt64(1) << min(width, 16) {
        let code = width <= 16 ? index : EmulationInputs.mixed(2, index) >> (64 - width)
        let value = Float(format.value(of: UInt32(code)))
        hash.add(value.canonicalNaN.bitPattern)
      }
      #expect(golden["reference.decode.\(format.name)"] == hash.value, "\(format.name)")
    }
  }

  @Test("Stored numbers, codes and decoded values of whole blocks are those of the reference")
  func coders() throws {
    let golden = try EmulationFiles.golden()
    #expect(golden.keys.count { $0.hasPrefix("reference.blocks.") } == EmulationCoder.all.count)
    for coder in EmulationCoder.all {
      let quantizer = TensorQuantizer(
        format: coder.format, shape: [EmulationCoder.values.count], policy: coder.policy,
        kernels: .reference)
      var storage = quantizer.makeStorage()
      var decoded = EmulationCoder.values
      EmulationCoder.values.withUnsafeBytes { quantizer.encode($0, into: &storage) }
      decoded.withUnsafeMutableBytes { quantizer.decode(storage, into: $0) }
      var hash = EmulationInputs.Hash()
      for plane in storage.planes.dropFirst() { for byte in plane.bytes { hash.add(byte) } }
      for code in storage.codes.unpacked() { hash.add(UInt8(code)) }
      let overflows = UInt64(storage.tally.saturatedCount)
      for byte in 0..<8 { hash.add(UInt8(truncatingIfNeeded: overflows >> UInt64(8 * byte))) }
      for value in decoded { hash.add(value.bitPattern) }
      #expect(golden["reference.blocks.\(coder.name)"] == hash.value, "\(coder.name)")
    }
  }

  @Test("Packed scales, sub-scales, codes and decoded values are those of the reference")
  func chains() throws {
    let golden = try EmulationFiles.golden()
    #expect(golden.keys.count { $0.hasPrefix("reference.chain.") } == EmulationChain.all.count)
    for chain in EmulationChain.all {
      let quantizer = TensorQuantizer(
        format: chain.format, shape: [EmulationChain.values.count], policy: chain.policy,
        kernels: .reference)
      var storage = quantizer.makeStorage()
      var decoded = EmulationChain.values
      EmulationChain.values.withUnsafeBytes { quantizer.encode($0, into: &storage) }
      decoded.withUnsafeMutableBytes { quantizer.decode(storage, into: $0) }
      var hash = EmulationInputs.Hash()
      for plane in [storage.scales, storage.subscales, storage.codes] {
        for byte in plane.bytes { hash.add(byte) }
      }
      for value in decoded { hash.add(value.bitPattern) }
      #expect(golden["reference.chain.\(chain.name)"] == hash.value, "\(chain.name)")
    }
  }
}
