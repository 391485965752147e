import Foundation
import Testing

/// The program that was built with the tests.
enum BuiltProgram {
  /// Where it is: beside the tests.
  static func path() throws -> String {
    let program = tests.deletingLastPathComponent().appendingPathComponent("fmtbench").path
    try #require(
      FileManager.default.isExecutableFile(atPath: program), "no program beside the tests")
    return program
  }

  /// The bundle or the executable of the tests.
  private static var tests: URL {
    #if canImport(Darwin)
    // A helper of the toolchain loads the bundle, so that neither the list of bundles nor the name
    // of the process need tell where it is.
    Bundle(for: Marker.self).bundleURL
    #else
    Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL
      ?? URL(fileURLWithPath: CommandLine.arguments[0])
    #endif
  }

  private final class Marker {}
}
