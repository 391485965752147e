import Foundation
import TensorFiles

/// The tool `fmtbench`: measures and inspects low-precision number formats.
public enum Fmtbench {
  /// The version in `--version` and in every report.
  static let version = "0.1.0"

  /// The tool with all its commands.
  static let tool = CommandLineTool(
    name: "fmtbench", version: version,
    abstract: "Encodes, inspects and measures low-precision number formats",
    examples: CommandList.gettingStarted,
    commands: CommandList.all)

  /// Runs the command line of this process and exits with its status.
  ///
  /// - Parameter build: what the executable was built from.
  public static func main(_ build: BuildStamp) -> Never {
    StopSignals.listen()
    StopSignals.beforeDeath { TemporaryFile.removeUnfinished() }
    occupyStandardStreams()
    ignoreWriteSignals()
    allowManyOpenFiles()
    let process = ProcessInfo.processInfo
    let console = Console(
      output: FileDescriptorSink(1), messages: FileDescriptorSink(2),
      environment: TerminalEnvironment(process.environment), build: build)
    do {
      try EnvironmentVariables.check(process.environment)
    } catch {
      console.report(error)
      exit(error.exitStatus.rawValue)
    }
    exit(tool.run(Array(process.arguments.dropFirst()), console).rawValue)
  }
}
