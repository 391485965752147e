import BlockFormats
import CommandLineToolkit

/// Tells the version, the build and the machine, for reports of faults.
enum VersionCommand: Command {
  static let declaration = CommandDeclaration(
    name: "version", abstract: "Shows the version, how this program was built, and the machine",
    output: .report,
    examples: [.init(line: "version --markdown", purpose: "for the report of a fault")])

  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    var report = Report(
      command: declaration.name, reproducibility: .thisMachine,
      columns: [
        .init(key: "component", title: "Component"), .init(key: "value", title: "Value"),
      ])
    for (component, value) in facts(console.build, MachineFacts.current) {
      report.append([.text(component), .text(value)])
    }
    console.write(report, as: arguments.reportFormat)
    return .done
  }

  private static func facts(
    _ build: BuildStamp, _ machine: MachineFacts
  ) -> [(component: String, value: String)] {
    [
      ("fmtbench", Fmtbench.version),
      ("commit", build.commit),
      ("compiler", build.compiler),
      ("configuration", BuildFacts.configuration.rawValue),
      ("architecture", BuildFacts.architecture),
      ("system", BuildFacts.system),
      ("processor", machine.processor ?? "unknown"),
      ("kernels", KernelLevel.best.id),
      ("kernels of the machine", KernelLevel.supported.map(\.id).joined(separator: " ")),
    ]
  }
}
