extension TensorFileError {
  /// The error about a file that is a member of an archive; as it is, if it names a tensor or is not
  /// about what the file holds.
  func ofMember(_ name: String) -> TensorFileError {
    switch self {
    case .unknownType, .unsupportedVersion, .headerTruncated, .headerTooLong, .headerSyntax,
      .duplicateKey, .badHeader, .dataTruncated, .trailingBytes:
      .badMember(path: path, member: name, reason: cause)
    default: self
    }
  }
}
