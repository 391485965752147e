import BlockFormats
import CommandLineToolkit

extension ListCommand {
  static let producers = Option.flag(
    "producers",
    help: "producers instead of formats: which choices give the codes and scales of each")

  /// Tells of the producers' presets that match some patterns, or of all.
  static func listProducers(
    _ patterns: [WildcardPattern], _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) {
    let presets = ProducerPreset.all.filter { preset in
      patterns.isEmpty
        || patterns.contains { pattern in
          pattern.matches(id: preset.producer) || pattern.matches(id: preset.format.id)
            || pattern.isPart(of: preset.name)
        }
    }
    guard !presets.isEmpty else {
      let given = arguments[Self.patterns]
      throw .usage(
        "no producer or format matches '\(given.joined(separator: "', '"))'"
          + Suggestion.question(for: given[0], in: ProducerPreset.all.map(\.producer)),
        hint: "see 'fmtbench list --producers' for all")
    }
    let report = report(of: presets)
    console.write(
      arguments.reportFormat == .table
        ? report.selecting(["producer", "name", "choices"]) : report,
      as: arguments.reportFormat)
  }

  private static func report(of presets: [ProducerPreset]) -> Report {
    let aspects = PolicyAspect.allCases
    var report = Report(
      command: declaration.name, reproducibility: .everywhere,
      columns: [
        .init(key: "producer", title: "Producer"),
        .init(key: "name", title: "Its name", role: .setting),
        .init(key: "format", title: "Format", role: .setting),
        .init(key: "choices", title: "Choices", role: .setting),
      ] + aspects.map { .init(key: $0.key, title: $0.title, role: .setting) },
      notes: [
        """
        Choices are alternatives besides the defaults of the format, whose id and choices by name \
        --json and --csv tell. Where bytes lie in a producer's file is another matter.
        """
      ])
    for preset in presets {
      report.append(
        [
          .text(preset.producer), .text(preset.name), .text(preset.format.id),
          .text(choicesText(of: preset)),
        ] + aspects.map { .text($0.chosen(in: preset.format.defaultPolicy).id) })
    }
    return report
  }

  /// The alternatives that differ from the format's defaults; a dash for none.
  static func choicesText(of preset: ProducerPreset) -> String {
    let choices = preset.choices.map(\.id)
    return choices.isEmpty ? "-" : choices.joined(separator: " ")
  }
}
