internal import StrictJSON
internal import TensorFiles
internal import UntrustedText

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Where a checkpoint is written: one safetensors or GGUF file, or a folder of safetensors files.
///
/// A file appears when it is complete. A folder is written under the name `DST.partial` and renamed in the
/// end; what stopped goes on with the files that are there, if it is the same work.
struct CheckpointOutput {
  /// The path as the caller gave it.
  let path: String
  /// The tensors, in order.
  let tensors: [OutputTensor]
  /// Text for the header of each safetensors file.
  var metadata: [String: String] = [:]
  /// Whose order of tensors and words safetensors files have.
  var style = SafetensorsStyle.reference
  /// The keys and values of a GGUF file.
  var gguf = GGUFMetadata()
  /// Further files of a folder.
  var documents: [Document] = []
  /// What makes two runs the same work: source, options and version.
  var fingerprint: String
  /// How a folder is cut into files, and which of them are written.
  var work = FolderWork()

  /// A further file of a folder.
  enum Document: Sendable {
    /// A text of a name.
    case text(name: String, contents: String)
    /// A copy of a file.
    case copy(name: String, of: String)
  }

  /// Whether a path names one file rather than a folder.
  static func isFile(_ path: String) -> Bool { path.hasSuffix(".safetensors") || isGGUF(path) }

  /// Whether a path names a GGUF file.
  static func isGGUF(_ path: String) -> Bool { path.hasSuffix(".gguf") }

  /// Writes everything.
  func write(_ progress: (WritingProgress) -> Void) throws(ModelCheckpointError) {
    var done = 0
    if Self.isFile(path) {
      try writeFile(path, tensors[...], &done, progress)
    } else {
      try writeFolder(&done, progress)
    }
    progress(WritingProgress(doneByteCount: done, totalByteCount: total, tensor: nil))
  }

  private var total: Int { tensors.reduce(0) { $0 + $1.sourceByteCount } }

  private func writeFile(
    _ path: String, _ tensors: ArraySlice<OutputTensor>, _ done: inout Int,
    _ progress: (WritingProgress) -> Void
  ) throws(ModelCheckpointError) {
    var writer =
      Self.isGGUF(path)
      ? try PartWriter(path: path, tensors: Array(tensors), metadata: gguf)
      : try PartWriter(path: path, tensors: Array(tensors), metadata: metadata, style: style)
    for tensor in tensors {
      progress(
        WritingProgress(doneByteCount: done, totalByteCount: total, tensor: tensor.name))
      try writer.write(tensor)
      done += tensor.sourceByteCount
    }
    try writer.commit()
  }

  // MARK: - Folders

  /// The tensors of each file: as many as fit, in order.
  private var shards: [Range<Int>] {
    var shards: [Range<Int>] = []
    var (first, size) = (0, 0)
    for (index, tensor) in tensors.enumerated() {
      if index > first, size + tensor.byteCount > work.fileByteLimit {
        shards.append(first..<index)
        (first, size) = (index, 0)
      }
      size += tensor.byteCount
    }
    return shards + [first..<tensors.count]
  }

  private static func name(ofShard index: Int, of count: Int) -> String {
    func digits(_ number: Int) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(0, 5 - text.count)) + text
    }
    return count == 1
      ? "model.safetensors" : "model-\(digits(index + 1))-of-\(digits(count)).safetensors"
  }

  /// Writes the files of a folder that are this process's work, and finishes the folder if that is all.
  private func writeFolder(
    _ done: inout Int, _ progress: (WritingProgress) -> Void
  ) throws(ModelCheckpointError) {
    let target = Folder(path)
    guard !Folder.somethingExists(at: target.path) else {
      throw .folder(path: path, reason: "exists already, and nothing is written over")
    }
    let partial = Folder(target.path + ".partial")
    if case .merge = work.share, !Folder.exists(at: partial.path) {
      throw .folder(path: partial.path, reason: "is not there: no worker has begun")
    }
    let lock = try FolderLock(partial, work.isShared ? .shared : .exclusive)
    defer { lock.release() }
    try resume(in: partial)
    let shards = shards
    for (index, range) in shards.enumerated() where work.includes(index) {
      let name = Self.name(ofShard: index, of: shards.count)
      if case .merge = work.share, !partial.holdsFile(name) {
        throw .folder(path: partial.path, reason: "lacks \(name), which a worker has to write")
      }
      if partial.holdsFile(name) {
        done += tensors[range].reduce(0) { $0 + $1.sourceByteCount }
        continue
      }
      try writeFile(partial.path(of: name), tensors[range], &done, progress)
    }
    guard !work.isShared else { return }
    if shards.count > 1 { try write(index(shards), to: partial.path(of: ShardIndex.name)) }
    for document in documents { try write(document, in: partial) }
    try partial.remove(Self.fingerprintName)
    try partial.rename(to: target.path)
  }

  private static let fingerprintName = ".work.json"

  /// Begins a folder, or goes on with one of the same work.
  private func resume(in partial: Folder) throws(ModelCheckpointError) {
    let path = partial.path(of: Self.fingerprintName)
    if partial.holdsFile(Self.fingerprintName) {
      let found = try? ModelCheckpointError.ofFiles { () throws(TensorFileError) in
        try InputFile(path: path).bytes()
      }
      guard found == Array(fingerprint.utf8) else {
        throw .folder(
          path: partial.path,
          reason: "holds the beginning of other work; remove it to begin again")
      }
      return
    }
    try write(fingerprint, to: path)
  }

  private func index(_ shards: [Range<Int>]) -> String {
    var map: [(String, String)] = []
    var size = 0
    for (index, range) in shards.enumerated() {
      let name = Self.name(ofShard: index, of: shards.count)
      for part in tensors[range].flatMap(\.parts) {
        map.append((part.name, name))
        size += part.byteCount
      }
    }
    map.sort { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
    return JSONValue.object([
      .init("metadata", .object([.init("total_size", JSONValue(size))])),
      .init("weight_map", .object(map.map { .init($0.0, .string($0.1)) })),
    ]).text(.indented(), escaping: .controls) + "\n"
  }

  private func write(_ text: String, to path: String) throws(ModelCheckpointError) {
    try ModelCheckpointError.ofFiles { () throws(TensorFileError) in
      try AtomicFileWriter.write(text, to: path)
    }
  }

  private func write(_ document: Document, in folder: Folder) throws(ModelCheckpointError) {
    switch document {
    case .text(let name, let contents): try write(contents, to: folder.path(of: name))
    case .copy(let name, let source):
      try ModelCheckpointError.ofFiles { () throws(TensorFileError) in
        var writer = try AtomicFileWriter(path: folder.path(of: name))
        // Empty files have nothing to read.
        if Folder.fileSize(at: source) != 0 {
          let file = try InputFile(path: source)
          let step = 1 << 22
          for start in stride(from: 0, to: file.count, by: step) {
            try writer.write(try file.bytes(in: start..<min(start + step, file.count)))
          }
        }
        try writer.commit()
      }
    }
  }
}
