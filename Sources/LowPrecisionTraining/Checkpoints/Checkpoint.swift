import CallerChecks
public import TensorFiles

/// The state of a run: named FP32 arrays, whole numbers and texts, in a safetensors file.
///
/// Arrays are F32 tensors under their names, so that any tool can read the weights. Counters are
/// scalar I64 tensors named `counter.NAME`; texts are the file's metadata. All come back bit for
/// bit, NaNs included.
public struct Checkpoint: Hashable, Sendable {
  /// An FP32 array.
  public struct Array: Hashable, Sendable {
    /// The extents, outermost first.
    public let shape: [Int]
    /// The elements, row-major.
    public let values: [Float]

    /// Gathers an array.
    ///
    /// - Precondition: The product of the extents is the number of values.
    public init(shape: [Int], values: [Float]) {
      require(
        shape.allSatisfy { $0 >= 0 } && shape.reduce(1, *) == values.count,
        "\(values.count) values of shape \(shape)")
      self.shape = shape
      self.values = values
    }
  }

  /// The arrays by name.
  public var arrays: [String: Array]
  /// The whole numbers by name.
  public var counters: [String: Int64]
  /// Texts by name.
  public var metadata: [String: String]

  private static let counterPrefix = "counter."

  /// Gathers a state.
  public init(
    arrays: [String: Array] = [:], counters: [String: Int64] = [:], metadata: [String: String] = [:]
  ) {
    self.arrays = arrays
    self.counters = counters
    self.metadata = metadata
  }

  /// Writes the state to a file that appears complete or not at all.
  ///
  /// - Precondition: No array's name starts with `counter.`
  public func write(to path: String) throws(TensorFileError) {
    var tensors: [TensorData] = []
    for (name, array) in arrays {
      require(!name.hasPrefix(Self.counterPrefix), "an array of a checkpoint is named \(name)")
      tensors.append(TensorData(name: name, shape: array.shape, array.values))
    }
    for (name, value) in counters {
      let bytes = withUnsafeBytes(of: value.littleEndian) { Swift.Array($0) }
      tensors.append(
        TensorData(name: Self.counterPrefix + name, dtype: .i64, shape: [], bytes: bytes))
    }
    try SafetensorsWriter.write(tensors, metadata: metadata, to: path)
  }

  /// Reads a state that must be the expected one.
  ///
  /// - Parameters:
  ///   - path: A file that `write(to:)` wrote.
  ///   - shapes: The name and shape of every array there must be.
  ///   - counterNames: The name of every counter there must be.
  /// - Throws: `.file` if the file is no safetensors file or cannot be read, `.mismatch` with all
  ///   differences.
  public init(
    path: String, expecting shapes: [String: [Int]], counters counterNames: Set<String>
  ) throws(CheckpointError) {
    let file = try Self.open(path)
    var mismatch = CheckpointMismatch()
    for (name, shape) in shapes {
      guard let tensor = file.tensor(named: name) else {
        mismatch.missing.append(name)
        continue
      }
      mismatch.check(tensor, .f32, shape)
    }
    for name in counterNames {
      guard let tensor = file.tensor(named: Self.counterPrefix + name) else {
        mismatch.missing.append(Self.counterPrefix + name)
        continue
      }
      mismatch.check(tensor, .i64, [])
    }
    for tensor in file.tensors where shapes[tensor.name] == nil {
      let isCounter =
        tensor.name.hasPrefix(Self.counterPrefix)
        && counterNames.contains(String(tensor.name.dropFirst(Self.counterPrefix.count)))
      if !isCounter { mismatch.unexpected.append(tensor.name) }
    }
    mismatch.unexpected += Self.secondSpellings(in: file)
    if !mismatch.isEmpty { throw .mismatch(path: path, mismatch.sorted()) }
    try self.init(file)
  }

  /// Reads a state of any names and shapes.
  ///
  /// - Throws: `.file` if the file is no safetensors file or cannot be read, `.mismatch` with the
  ///   tensors that are neither FP32 arrays nor counters.
  public init(path: String) throws(CheckpointError) {
    let file = try Self.open(path)
    var mismatch = CheckpointMismatch()
    for tensor in file.tensors {
      if tensor.name.hasPrefix(Self.counterPrefix) {
        mismatch.check(tensor, .i64, [])
      } else {
        mismatch.check(tensor, .f32, tensor.shape)
      }
    }
    mismatch.unexpected += Self.secondSpellings(in: file)
    if !mismatch.isEmpty { throw .mismatch(path: path, mismatch.sorted()) }
    try self.init(file)
  }

  /// The names that a dictionary cannot tell from an earlier one: a file compares them by their
  /// bytes, a `String` by what they spell.
  private static func secondSpellings(in file: SafetensorsFile) -> [String] {
    var names: Set<String> = []
    return file.tensors.map(\.name).filter { !names.insert($0).inserted }
  }

  private static func open(_ path: String) throws(CheckpointError) -> SafetensorsFile {
    do { return try SafetensorsFile(path: path) } catch { throw .file(error) }
  }

  /// Takes a file whose tensors were checked.
  private init(_ file: SafetensorsFile) throws(CheckpointError) {
    self.init(metadata: file.metadata)
    do throws(TensorFileError) {
      for tensor in file.tensors {
        if tensor.dtype == .i64 {
          let name = String(tensor.name.dropFirst(Self.counterPrefix.count))
          let bytes = try file.bytes(of: tensor)
          counters[name] = bytes.reversed().reduce(0) { $0 << 8 | Int64($1) }
        } else {
          arrays[tensor.name] = Array(shape: tensor.shape, values: try file.floats(of: tensor))
        }
      }
    } catch {
      throw .file(error)
    }
  }
}
