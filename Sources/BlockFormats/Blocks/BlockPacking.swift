/// Where a producer puts the stored bits of each block: the fields of the layout in other places.
///
/// A packing has one or more streams of bytes; in each, block follows block, and every block has the
/// same number of bytes. Producers that store one tensor have one stream, those that keep scales apart
/// have several. A code's bits may be split over distant places.
public struct BlockPacking: Sendable {
  /// The producer's name.
  public let name: String
  /// The streams, each with the bytes of a whole block.
  public let streams: [Stream]
  /// The code that stands behind the last element of a short block.
  public let padding: UInt32
  private let place: @Sendable (_ field: Int, _ index: Int, _ bit: Int) -> Place

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

  /// Creates a packing.
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
    self.place = place
  }

  /// The places of all bits of a whole block, by field and code.
  func places(_ layout: BlockLayout, elementCount: Int) -> [[[Place]]] {
    zip(layout.fields, layout.codeCounts(ofBlock: elementCount)).enumerated().map { index, pair in
      (0..<pair.1).map { code in
        (0..<pair.0.bitWidth).map { place(index, code, $0) }
      }
    }
  }
}

extension BlockPacking {
  /// The bytes of each stream that a block of fewer elements takes.
  func lastBytes(_ layout: BlockLayout, elementCount: Int, used: Int) -> [Int] {
    guard used > 0 else { return streams.map(\.byteCount) }
    let places = places(layout, elementCount: elementCount)
    let counts = layout.codeCounts(ofBlock: used)
    return streams.indices.map { stream in
      let bits = places.enumerated().flatMap { field, codes in
        codes.prefix(counts[field]).joined().filter { $0.stream == stream }.map(\.bit)
      }
      return bits.max().map { $0 / 8 + 1 } ?? 0
    }
  }
}
