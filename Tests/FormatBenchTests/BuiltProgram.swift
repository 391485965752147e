import Foundation
import Testing

/// The program that was built with the tests.
enum BuiltProgram {
  /// Where it is: beside the tests.
  static func path() throws -> String {
    let tests =
      Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL
      ?? URL(fileURLWithPath: CommandLine.arguments[0])
    let program = tests.deletingLastPathComponent().appendingPathComponent("fmtbench").path
    try #require(
      FileManager.default.isExecutableFile(atPath: program), "no program beside the tests")
    return program
  }
}
