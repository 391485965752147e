public import struct Foundation.Data

/// Deflate streams, whole and damaged, with what zlib makes of them: `inflate/*`.
public struct InflateVectors: Decodable, Sendable {
  public struct Case: Decodable, Sendable {
    public let name: String
    public let stream: Data
    /// The bytes that the stream makes; of a refused one, those that it made before it was damaged.
    public let count: Int
    /// The CRC-32 of these bytes; nil if zlib refuses the stream.
    public let checksum: UInt32?
  }

  public let header: VectorHeader
  public let cases: [Case]
}

/// Archives of NumPy and of Python's zipfile: `npz/*`.
public struct ArchiveVectors: Decodable, Sendable {
  public struct Tensor: Decodable, Sendable {
    public let name: String
    /// NumPy's name of the element type.
    public let dtype: String
    public let shape: [Int]
    /// Whether the elements are stored in Fortran order, and would lie otherwise row-major.
    public let fortran: Bool
    /// The elements cast to float32, row-major; nil for types that `bytes` has.
    public let values: Float32Words?
    /// The elements of other types, row-major and little-endian.
    public let bytes: HexadecimalBytes?
  }

  public struct Case: Decodable, Sendable {
    public let name: String
    public let archive: Data
    /// In the order of the file.
    public let tensors: [Tensor]
    /// The names of members that are no tensors.
    public let others: [String]
  }

  public let header: VectorHeader
  public let cases: [Case]
}
