/// Tells the version and the build, for reports of faults.
enum VersionCommand: Command {
  static let declaration = CommandDeclaration(
    name: "version", abstract: "Shows the version and how this program was built",
    output: .report,
    examples: [.init(line: "version --markdown", purpose: "for the report of a fault")])

  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    var report = Report(
      command: declaration.name,
      columns: [
        .init(key: "component", title: "Component"), .init(key: "value", title: "Value"),
      ])
    report.append([.text("fmtbench"), .text(Fmtbench.version)])
    report.append([.text("configuration"), .text(BuildFacts.configuration.rawValue)])
    report.append([.text("architecture"), .text(BuildFacts.architecture)])
    report.append([.text("system"), .text(BuildFacts.system)])
    console.write(report, as: arguments.reportFormat)
    return .done
  }
}
