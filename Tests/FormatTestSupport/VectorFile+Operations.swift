/// Operations of training with their gradients: `operations/*`.
public struct OperationVectors: Decodable, Sendable {
  /// An array of a case.
  public struct Entry: Decodable, Sendable {
    public let shape: [Int]
    /// Row-major.
    public let values: Float32Words
    /// How far FP32 arithmetic may be from each value; for results.
    public let bounds: Float32Words?
  }

  public struct Case: Decodable, Sendable {
    public let name: String
    /// Numbers by name, each a float32.
    public let options: [String: Float]
    public let integers: [String: [Int]]
    /// The arrays that the operation depends on; `dy` is the gradient of its result.
    public let inputs: [String: Entry]
    /// The result `y` and the gradients `dNAME`, or what an optimizer ends with.
    public let results: [String: Entry]
  }

  public let header: VectorHeader
  public let cases: [Case]
}
