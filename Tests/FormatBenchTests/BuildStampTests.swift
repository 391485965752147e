import CommandLineToolkit
import Foundation
import Testing

/// The script that tells the executable its commit, on checkouts made for the purpose.
@Suite("The stamp of a build")
struct BuildStampTests {
  private let folder: TemporaryFolder
  private let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Sources/BuildStampPlugin/stamp.sh").path

  init() throws { folder = try TemporaryFolder() }

  @discardableResult
  private func run(_ words: String..., in directory: String? = nil) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = words
    if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// The commit and the compiler that the script writes for a package.
  private func stamp(_ package: String, compiler: String = "echo") throws -> [String] {
    #expect(try run("/bin/sh", script, package, compiler, folder.url.path) == 0)
    let text = try String(contentsOfFile: folder.path("BuildStamp.swift"), encoding: .utf8)
    return text.matches(of: /#"(.*?)"#/).map { String($0.1) }
  }

  @Test("Outside a checkout, and in the checkout of something else, the commit is unknown")
  func unknown() throws {
    let package = folder.path("package")
    try FileManager.default.createDirectory(atPath: package, withIntermediateDirectories: true)
    #expect(try stamp(package) == ["unknown", "unknown"])
    #expect(try stamp(package, compiler: folder.path("none")) == ["unknown", "unknown"])
    try run("git", "init", "-q", in: folder.url.path)
    #expect(try stamp(package) == ["unknown", "unknown"])
  }

  @Test("A checkout and a work tree of it give the commit, and say whether files have changed")
  func checkout() throws {
    let package = folder.path("package")
    try FileManager.default.createDirectory(atPath: package, withIntermediateDirectories: true)
    // Without git there are no checkouts.
    guard try run("git", "init", "-q", in: package) == 0 else { return }
    #expect(try stamp(package)[0] == "unknown")
    try Data("a".utf8).write(to: URL(fileURLWithPath: package + "/file"))
    try run("git", "add", "file", in: package)
    try run(
      "git", "-c", "user.name=n", "-c", "user.email=e@example.org", "commit", "-q", "-m", "m",
      in: package)
    let commit = try stamp(package)[0]
    #expect(commit.wholeMatch(of: /[0-9a-f]{40}/) != nil, "\(commit)")
    try run("git", "worktree", "add", "-q", folder.path("tree"), in: package)
    #expect(try stamp(folder.path("tree"))[0] == commit)
    try Data("b".utf8).write(to: URL(fileURLWithPath: package + "/file"))
    #expect(try stamp(package)[0] == commit + " with changes")
    #expect(try stamp(folder.path("tree"))[0] == commit)
  }

  @Test("A stamp that says the same is not written again")
  func unchanged() throws {
    let package = folder.path("package")
    try FileManager.default.createDirectory(atPath: package, withIntermediateDirectories: true)
    _ = try stamp(package)
    let path = folder.path("BuildStamp.swift")
    let date = Date(timeIntervalSince1970: 1_000_000)
    try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path)
    _ = try stamp(package)
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.modificationDate] as? Date == date)
  }
}
