package import CommandLineToolkit
import Foundation
import TensorFiles

extension Fmtbench {
  /// The tool with all its commands.
  static let tool = CommandLineTool(
    name: name, version: version,
    abstract: "Encodes, inspects and measures low-precision number formats",
    examples: CommandList.gettingStarted,
    commands: CommandList.all)

  /// Runs the command line of this process and exits with its status.
  ///
  /// - Parameter build: what the executable was built from.
  package static func main(_ build: BuildStamp) -> Never {
    StopSignals.listen()
    StopSignals.beforeDeath { TemporaryFile.removeUnfinished() }
    occupyStandardStreams()
    ignoreWriteSignals()
    allowManyOpenFiles()
    let process = ProcessInfo.processInfo
    let console = Console(
      tool: name, output: FileDescriptorSink(1), messages: FileDescriptorSink(2),
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
