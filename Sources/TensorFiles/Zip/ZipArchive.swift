import UntrustedText

/// The members of a zip archive, which are checked but not read.
///
/// Accepted are archives as NumPy and streaming writers make them: members stored or deflated, sizes of
/// 64 bits, data descriptors, and a comment. Each member has to lie before the directory, apart from
/// all others, under a local header that says what the directory says. Bytes between members, and
/// before the first, are of no member and are not looked at.
///
/// Refused are encryption, archives in several files, other methods, two members of one name, and
/// names that are neither ASCII nor marked as UTF-8.
struct ZipArchive: Sendable {
  /// The most members of an archive.
  static let memberLimit = 65_536
  /// The most bytes of a directory: 64 MiB.
  static let directoryLimit = 1 << 26

  /// The members in the order of their bytes.
  let members: [ZipMember]

  /// Reads the directory and the local headers of an archive.
  ///
  /// - Throws: `.badArchive` or `.badMember`, or why the file cannot be read.
  init(_ file: InputFile) throws(TensorFileError) {
    let path = file.path
    let end = try ZipEndRecord(file)
    guard end.memberCount <= Self.memberLimit else {
      throw .badArchive(
        path: path, reason: "\(end.memberCount) members exceed the limit of \(Self.memberLimit)")
    }
    guard end.directory.count <= Self.directoryLimit else {
      throw .badArchive(
        path: path,
        reason: "directory of \(end.directory.count) bytes exceeds the limit of "
          + "\(Self.directoryLimit)")
    }
    let directory = try file.bytes(in: end.directory)
    var position = 0
    var names: Set<ExactText> = []
    var members: [(member: ZipMember, range: Range<Int>)] = []
    for _ in 0..<end.memberCount {
      let entry = try ZipDirectoryEntry(directory, at: &position, path: path)
      guard names.insert(ExactText(entry.name)).inserted else {
        throw .badMember(path: path, member: entry.name, reason: "occurs twice")
      }
      let header = try ZipLocalHeader(file, entry, limit: end.directory.lowerBound)
      let member = ZipMember(
        name: entry.name, method: entry.method, byteCount: entry.byteCount,
        checksum: entry.checksum, stored: FilePart(file: file, range: header.data))
      members.append((member, entry.localHeaderOffset..<header.end))
    }
    guard position == directory.count else {
      throw .badArchive(
        path: path,
        reason: "directory of \(end.memberCount) members ends at byte \(position) of "
          + "\(directory.count)")
    }
    members.sort { $0.range.lowerBound < $1.range.lowerBound }
    for (before, after) in zip(members, members.dropFirst()) {
      guard before.range.upperBound <= after.range.lowerBound else {
        throw .badMember(
          path: path, member: after.member.name,
          reason: "starts at byte \(after.range.lowerBound), inside the one before, "
            + "which ends at \(before.range.upperBound)")
      }
    }
    self.members = members.map(\.member)
  }
}
