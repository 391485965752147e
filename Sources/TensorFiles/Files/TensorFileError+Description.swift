import UntrustedText

extension TensorFileError: CustomStringConvertible {
  /// One line that names the file and the cause.
  ///
  /// Control and formatting characters of paths and names are escaped, and long names shortened, so
  /// that a hostile name can neither break the line nor steer a terminal.
  public var description: String {
    "\(printable(path, limit: nil)): \(cause)"
  }

  /// The path the error is about, as the caller gave it.
  public var path: String {
    switch self {
    case .missing(let path), .isDirectory(let path), .unsupportedFile(let path),
      .unreadable(let path, _), .emptyFile(let path), .unknownType(let path, _, _),
      .streamTooLong(let path, _), .notEnoughMemory(let path, _, _), .cutShort(let path, _, _),
      .unsupportedVersion(let path, _, _), .headerTruncated(let path, _, _),
      .headerTooLong(let path, _, _), .headerNotUTF8(let path, _), .headerSyntax(let path, _, _),
      .headerTooDeep(let path, _, _), .duplicateKey(let path, _, _), .badHeader(let path, _),
      .duplicateTensor(let path, _), .badEntry(let path, _, _), .unknownDType(let path, _, _),
      .shapeOverflow(let path, _), .sizeMismatch(let path, _, _, _), .overlap(let path, _, _, _),
      .hole(let path, _, _, _), .dataTruncated(let path, _, _), .trailingBytes(let path, _),
      .unsupportedDType(let path, _, _, _), .voidDType(let path, _, _, _),
      .badArchive(let path, _), .badMember(let path, _, _), .writeFailed(let path, _, _):
      path
    }
  }

  /// The description without the path.
  var cause: String {
    switch self {
    case .missing, .isDirectory, .unsupportedFile, .unreadable, .emptyFile, .streamTooLong,
      .notEnoughMemory, .cutShort, .unknownType, .unsupportedVersion, .writeFailed:
      accessCause
    case .headerTruncated, .headerTooLong, .headerNotUTF8, .headerSyntax, .headerTooDeep,
      .duplicateKey, .badHeader:
      headerCause
    case .badArchive(_, let reason): "bad archive: \(printable(reason))"
    case .badMember(_, let member, let reason):
      "member '\(printable(member))': \(printable(reason))"
    default:
      tensorCause
    }
  }

  private var accessCause: String {
    switch self {
    case .missing: "no such file"
    case .isDirectory: "is a directory, not a file"
    case .unsupportedFile: "is neither a regular file nor a pipe"
    case .unreadable(_, let reason): "cannot be read: \(printable(reason))"
    case .emptyFile: "is empty"
    case .streamTooLong(_, let limit):
      "delivers more than the \(limit) bytes that are read from a pipe"
    case .notEnoughMemory(_, let tensor, let amounts):
      "reading \(tensor.map { "tensor '\(printable($0))'" } ?? "it") needs \(amounts)"
    case .cutShort(_, let needed, let available):
      "was cut while it was read: had \(needed) bytes, has \(available) or fewer now"
    case .unknownType(_, let expected, let found):
      found.map { "is \(printable($0)), not \(printable(expected))" }
        ?? "is not \(printable(expected))"
    case .unsupportedVersion(_, let major, let minor): "has unknown version \(major).\(minor)"
    case .writeFailed(_, let operation, let reason): "cannot \(operation): \(printable(reason))"
    default: ""
    }
  }

  private var headerCause: String {
    switch self {
    case .headerTruncated(_, let needed, let available):
      "header is truncated: needs \(needed) bytes, file has \(available)"
    case .headerTooLong(_, let length, let limit):
      "header of \(length) bytes exceeds the limit of \(limit)"
    case .headerNotUTF8(_, let offset): "header is not UTF-8 at byte \(offset)"
    case .headerSyntax(_, let offset, let reason):
      "malformed header at byte \(offset): \(printable(reason))"
    case .headerTooDeep(_, let offset, let limit):
      "header nests deeper than \(limit) levels at byte \(offset)"
    case .duplicateKey(_, let key, let offset):
      "duplicate key '\(printable(key))' in the header at byte \(offset)"
    case .badHeader(_, let reason): "bad header: \(printable(reason))"
    default: ""
    }
  }

  private var tensorCause: String {
    switch self {
    case .duplicateTensor(_, let tensor): "tensor '\(printable(tensor))' occurs twice"
    case .badEntry(_, let tensor, let reason):
      "tensor '\(printable(tensor))': \(printable(reason))"
    case .unknownDType(_, let tensor, let dtype):
      "tensor '\(printable(tensor))': unknown dtype '\(printable(dtype))'"
    case .shapeOverflow(_, let tensor):
      "tensor '\(printable(tensor))': size overflows 64 bits"
    case .sizeMismatch(_, let tensor, let expected, let found):
      "tensor '\(printable(tensor))': dtype and shape need \(expected) bytes, offsets span \(found)"
    case .overlap(_, let tensor, let start, let previousEnd):
      "tensor '\(printable(tensor))' starts at byte \(start), inside the one before, "
        + "which ends at \(previousEnd)"
    case .hole(_, let tensor, let start, let previousEnd):
      "tensor '\(printable(tensor))' starts at byte \(start), leaving a hole after \(previousEnd)"
    case .dataTruncated(_, let needed, let available):
      "data is truncated: needs \(needed) bytes, file has \(available) after its header"
    case .trailingBytes(_, let count): "\(count) bytes follow the last tensor"
    case .unsupportedDType(_, let tensor, let dtype, let supported):
      (tensor.map { "tensor '\(printable($0))': " } ?? "")
        + "dtype \(printable(dtype)) is not supported here; supported: \(supported)"
    case .voidDType(_, let tensor, let dtype, let candidates):
      (tensor.map { "tensor '\(printable($0))': " } ?? "")
        + "dtype \(printable(dtype)) does not say what its bytes are; readingVoidAs reads them as "
        + candidates.map(\.rawValue).joined(separator: " or ")
    default: ""
    }
  }
}
