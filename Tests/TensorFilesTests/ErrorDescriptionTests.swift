import Testing

@testable import TensorFiles

@Suite("Error descriptions")
struct ErrorDescriptionTests {
  /// One error of each cause with its line.
  private static let lines: [(TensorFileError, String)] = [
    (.missing(path: "p"), "no such file"),
    (.isDirectory(path: "p"), "is a directory, not a file"),
    (.unsupportedFile(path: "p"), "is neither a regular file nor a pipe"),
    (.unreadable(path: "p", reason: "r"), "cannot be read: r"),
    (.emptyFile(path: "p"), "is empty"),
    (
      .streamTooLong(path: "p", limit: 9),
      "delivers more than the 9 bytes that are read from a pipe"
    ),
    (
      .notEnoughMemory(path: "p", tensor: "t", amounts: "9 MiB, which are not there"),
      "reading tensor 't' needs 9 MiB, which are not there"
    ),
    (
      .notEnoughMemory(path: "p", tensor: nil, amounts: "9 MiB, which are not there"),
      "reading it needs 9 MiB, which are not there"
    ),
    (
      .cutShort(path: "p", needed: 9, available: 4),
      "was cut while it was read: had 9 bytes, has 4 or fewer now"
    ),
    (.unknownType(path: "p", expected: "a file"), "is not a file"),
    (.unknownType(path: "p", expected: "a file", found: "a fish"), "is a fish, not a file"),
    (.unsupportedVersion(path: "p", major: 4, minor: 1), "has unknown version 4.1"),
    (
      .headerTruncated(path: "p", needed: 8, available: 3),
      "header is truncated: needs 8 bytes, file has 3"
    ),
    (
      .headerTooLong(path: "p", length: 9, limit: 8), "header of 9 bytes exceeds the limit of 8"
    ),
    (.headerNotUTF8(path: "p", offset: 9), "header is not UTF-8 at byte 9"),
    (
      .headerSyntax(path: "p", offset: 9, reason: "r"), "malformed header at byte 9: r"
    ),
    (
      .headerTooDeep(path: "p", offset: 9, limit: 8),
      "header nests deeper than 8 levels at byte 9"
    ),
    (
      .duplicateKey(path: "p", key: "k", offset: 9), "duplicate key 'k' in the header at byte 9"
    ),
    (.badHeader(path: "p", reason: "r"), "bad header: r"),
    (.duplicateTensor(path: "p", tensor: "t"), "tensor 't' occurs twice"),
    (.badEntry(path: "p", tensor: "t", reason: "r"), "tensor 't': r"),
    (.unknownDType(path: "p", tensor: "t", dtype: "d"), "tensor 't': unknown dtype 'd'"),
    (.shapeOverflow(path: "p", tensor: "t"), "tensor 't': size overflows 64 bits"),
    (
      .sizeMismatch(path: "p", tensor: "t", expected: 8, found: 4),
      "tensor 't': dtype and shape need 8 bytes, offsets span 4"
    ),
    (
      .overlap(path: "p", tensor: "t", start: 3, previousEnd: 4),
      "tensor 't' starts at byte 3, inside the one before, which ends at 4"
    ),
    (
      .hole(path: "p", tensor: "t", start: 5, previousEnd: 4),
      "tensor 't' starts at byte 5, leaving a hole after 4"
    ),
    (
      .dataTruncated(path: "p", needed: 8, available: 3),
      "data is truncated: needs 8 bytes, file has 3 after its header"
    ),
    (.trailingBytes(path: "p", count: 2), "2 bytes follow the last tensor"),
    (
      .unsupportedDType(path: "p", tensor: "t", dtype: "d", supported: "s"),
      "tensor 't': dtype d is not supported here; supported: s"
    ),
    (
      .unsupportedDType(path: "p", tensor: nil, dtype: "d", supported: "s"),
      "dtype d is not supported here; supported: s"
    ),
    (
      .voidDType(path: "p", tensor: "t", dtype: "d", candidates: [.bf16]),
      "tensor 't': dtype d does not say what its bytes are; readingVoidAs reads them as BF16"
    ),
    (
      .voidDType(path: "p", tensor: nil, dtype: "d", candidates: [.f8E5M2, .f8E4M3]),
      "dtype d does not say what its bytes are; readingVoidAs reads them as F8_E5M2 or F8_E4M3"
    ),
    (.badArchive(path: "p", reason: "r"), "bad archive: r"),
    (.badMember(path: "p", member: "m", reason: "r"), "member 'm': r"),
    (.writeFailed(path: "p", operation: "write", reason: "r"), "cannot write: r"),
  ]

  @Test("Every cause has its line, which starts with the path")
  func lines() {
    for (error, line) in Self.lines {
      #expect(error.description == "p: \(line)")
      #expect("\(error)" == "p: \(line)")
      #expect(error.path == "p")
    }
  }

  @Test("Names can neither break the line nor steer a terminal")
  func escaping() {
    let hostile = "a\n\r\t\u{1b}[2J\u{7f}\u{9b}\u{202e}\u{2028}\u{200b}\u{0}é漢\u{1f600}"
    let escaped =
      #"a\n\r\t\u{1b}[2J\u{7f}\u{9b}\u{202e}\u{2028}\u{200b}\u{0}é漢😀"#
    #expect(
      TensorFileError.duplicateTensor(path: hostile, tensor: hostile).description
        == "\(escaped): tensor '\(escaped)' occurs twice")
    #expect(
      TensorFileError.writeFailed(path: "p", operation: "write", reason: hostile).description
        == "p: cannot write: \(escaped)")
  }

  @Test("Long names are shortened, paths are not")
  func shortening() {
    let long = String(repeating: "n", count: 1000)
    #expect(
      TensorFileError.duplicateTensor(path: long, tensor: long).description
        == "\(long): tensor '\(String(repeating: "n", count: 120))…' occurs twice")
  }
}
