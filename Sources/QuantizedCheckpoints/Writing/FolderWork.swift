internal import CallerChecks

/// How the files of a folder are cut, and which of them one process writes.
///
/// Several workers, each with its share, write the files of a single run; the last step, a merge, writes the
/// index and gives the folder its name.
public struct FolderWork: Hashable, Sendable {
  /// The most bytes of a file, unless one tensor has more.
  public var fileByteLimit: Int
  /// Which files are written.
  public var share: Share

  /// Which files are written.
  public enum Share: Hashable, Sendable {
    /// All, and the index.
    case all
    /// Those of one of several workers, counted from 1.
    case worker(Int, of: Int)
    /// None: the index of what workers have written.
    case merge
  }

  /// The whole work, in files of at most 5 GB.
  ///
  /// - Precondition: a worker's number is from 1 to that of all.
  public init(fileByteLimit: Int = 5_000_000_000, share: Share = .all) {
    if case .worker(let number, let count) = share {
      require(number >= 1 && number <= count, "worker \(number) of \(count)")
    }
    self.fileByteLimit = fileByteLimit
    self.share = share
  }

  /// Whether others work on the same folder.
  var isShared: Bool {
    if case .worker = share { true } else { false }
  }

  /// Whether a file is to be written, or to be there.
  func includes(_ file: Int) -> Bool {
    switch share {
    case .all, .merge: true
    case .worker(let number, let count): file % count == number - 1
    }
  }
}
