import BlockFormats
import CommandLineToolkit

/// What commands that measure times have in common.
enum TimingOptions {
  static let threads = Option.list(
    "threads", .integer(in: 1...1024), help: "numbers of threads; one and all cores by default")
  static let repeats = Option.defaulted(
    "repeats", .integer(in: 1...1000), default: "7", help: "measurements that a median is of")

  /// The numbers of threads asked for, else one and all cores, which may be the same.
  static func threadCounts(_ arguments: ParsedArguments) -> [Int] {
    let asked = arguments[threads]
    guard asked.isEmpty else { return asked }
    let all = Parallelism.allCores.threadCount
    return all == 1 ? [1] : [1, all]
  }

  /// Refuses builds whose times mean nothing.
  static func requireOptimised(
    _ configuration: BuildFacts.Configuration, _ command: String
  ) throws(CommandError) {
    guard configuration == .debug else { return }
    throw .usage(
      "\(command): this is a debug build, whose times mean nothing",
      hint: "build it with 'swift build -c release'")
  }
}
