import CallerChecks

/// Where a producer puts the stored bits of each block: the fields of the layout in other places.
///
/// A packing has one or more streams of bytes; in each, block follows block, and every block has the
/// same number of bytes. Producers that store one tensor have one stream, those that keep scales apart
/// have several. Mostly every bit of a code has a place, which may be distant from those of its
/// neighbours; where several codes make a number, such as five trits in a byte, whole blocks are turned
/// into bytes.
public struct BlockPacking: Sendable {
  /// The producer's name.
  public let name: String
  /// The streams, each with the bytes of a whole block.
  public let streams: [Stream]
  /// The code that stands behind the last element of a short block.
  public let padding: UInt32
  private let coding: Coding

  private enum Coding {
    case places(@Sendable (_ field: Int, _ index: Int, _ bit: Int) -> Place)
    case blocks(
      pack: @Sendable (_ codes: [[UInt32]]) -> [[UInt8]],
      unpack: @Sendable (_ bytes: [ArraySlice<UInt8>]) -> [[UInt32]])
  }

  /// One stream of bytes.
  public struct Stream: Hashable, Sendable {
    /// The producer's name of the tensor that holds it.
    public let name: String
    /// The bytes of a whole block.
    public let byteCount: Int
  }

  /// The place of a bit.
  public struct Place: Hashable, Sendable {
    /// Which stream.
    public let stream: Int
    /// Which bit of the block's bytes, counted from the lowest bit of the first byte.
    public let bit: Int

    /// Creates a place.
    public init(stream: Int = 0, bit: Int) {
      self.stream = stream
      self.bit = bit
    }
  }

  /// Creates a packing in which every bit has a place.
  ///
  /// - Parameters:
  ///   - name: the producer's name.
  ///   - streams: the names of the streams with the bytes of a whole block.
  ///   - padding: the code that stands behind the last element of a short block.
  ///   - place: where a bit of a code lies: field as in `BlockLayout.fields`, index among the block's
  ///     codes of the field, bit from the lowest. No two bits may share a place.
  public init(
    _ name: String, streams: [(name: String, byteCount: Int)], padding: UInt32 = 0,
    place: @escaping @Sendable (_ field: Int, _ index: Int, _ bit: Int) -> Place
  ) {
    self.name = name
    self.streams = streams.map { Stream(name: $0.name, byteCount: $0.byteCount) }
    self.padding = padding
    coding = .places(place)
  }

  /// Creates a packing that turns whole blocks into bytes.
  ///
  /// A short last block of runs is padded, and its bytes are those of a whole one.
  ///
  /// - Parameters:
  ///   - name: the producer's name.
  ///   - streams: the names of the streams with the bytes of a whole block.
  ///   - padding: the code that stands behind the last element of a short block.
  ///   - pack: the bytes of each stream for the codes of each field of a block.
  ///   - unpack: the inverse. Bytes that `pack` never makes have codes too, as the producer reads them.
  public init(
    _ name: String, streams: [(name: String, byteCount: Int)], padding: UInt32 = 0,
    pack: @escaping @Sendable (_ codes: [[UInt32]]) -> [[UInt8]],
    unpack: @escaping @Sendable (_ bytes: [ArraySlice<UInt8>]) -> [[UInt32]]
  ) {
    self.name = name
    self.streams = streams.map { Stream(name: $0.name, byteCount: $0.byteCount) }
    self.padding = padding
    coding = .blocks(pack: pack, unpack: unpack)
  }
}

// MARK: - Blocks to bytes and back

extension BlockPacking {
  /// A packing with what follows from it for blocks of one length.
  struct Coder {
    private let packing: BlockPacking
    private let counts: [Int]
    /// The places of all bits, by field and code; empty where blocks are turned into bytes.
    let places: [[[Place]]]

    init(_ packing: BlockPacking, _ layout: BlockLayout, elementCount: Int) {
      self.packing = packing
      counts = layout.codeCounts(ofBlock: elementCount)
      guard case .places(let place) = packing.coding else {
        places = []
        return
      }
      places = zip(layout.fields, counts).enumerated().map { field, pair in
        (0..<pair.1).map { code in
          (0..<pair.0.bitWidth).map { place(field, code, $0) }
        }
      }
    }

    /// Stores the codes of a block, by field, in the bytes of a block, which are zero.
    func store(_ codes: [[UInt32]], into streams: inout [[UInt8]], block: Int) {
      if case .blocks(let pack, _) = packing.coding {
        for (stream, bytes) in pack(codes).enumerated() {
          let count = packing.streams[stream].byteCount
          require(
            bytes.count == count,
            "\(packing.name): \(bytes.count) bytes of \(packing.streams[stream].name), not \(count)"
          )
          streams[stream].replaceSubrange(block * count..<(block + 1) * count, with: bytes)
        }
        return
      }
      for (field, codePlaces) in places.enumerated() {
        for (index, bits) in codePlaces.enumerated() {
          let code = codes[field][index]
          for (bit, place) in bits.enumerated() where code >> UInt32(bit) & 1 == 1 {
            let byte = block * packing.streams[place.stream].byteCount + place.bit / 8
            streams[place.stream][byte] |= 1 << UInt8(place.bit % 8)
          }
        }
      }
    }

    /// The codes of a block, by field; those of which streams lack the bytes are 0.
    func load(_ streams: [[UInt8]], block: Int) -> [[UInt32]] {
      if case .blocks(_, let unpack) = packing.coding {
        let codes = unpack(
          packing.streams.enumerated().map { stream, facts in
            streams[stream][block * facts.byteCount..<(block + 1) * facts.byteCount]
          })
        let made = codes.map(\.count)
        require(made == counts, "\(packing.name): a block of \(made) codes, not \(counts)")
        return codes
      }
      return places.map { codePlaces in
        codePlaces.map { bits in
          bits.enumerated().reduce(UInt32(0)) { code, entry in
            let (bit, place) = entry
            let byte = block * packing.streams[place.stream].byteCount + place.bit / 8
            guard streams[place.stream].indices.contains(byte) else { return code }
            return code | UInt32(streams[place.stream][byte] >> UInt8(place.bit % 8) & 1)
              << UInt32(bit)
          }
        }
      }
    }

    /// The bytes of each stream that a block of fewer elements takes.
    func lastBytes(_ layout: BlockLayout, used: Int) -> [Int] {
      guard used > 0, case .places = packing.coding else {
        return packing.streams.map(\.byteCount)
      }
      let counts = layout.codeCounts(ofBlock: used)
      return packing.streams.indices.map { stream in
        let bits = places.enumerated().flatMap { field, codes in
          codes.prefix(counts[field]).joined().filter { $0.stream == stream }.map(\.bit)
        }
        return bits.max().map { $0 / 8 + 1 } ?? 0
      }
    }
  }
}
