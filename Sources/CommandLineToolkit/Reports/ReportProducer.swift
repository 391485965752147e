/// The program that makes a report, as the report tells it.
package struct ReportProducer: Sendable {
  /// The program's name.
  package let name: String
  package let version: String
  /// What of the machine the program's numbers may depend on.
  package let machine: [Report.Fact]

  /// A program.
  package init(name: String, version: String, machine: [Report.Fact] = []) {
    self.name = name
    self.version = version
    self.machine = machine
  }
}
