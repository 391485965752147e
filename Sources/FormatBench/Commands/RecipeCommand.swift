import CommandLineToolkit
import TrainingRecipes

/// Lists the presets of training recipes, or shows one rule by rule.
enum RecipeCommand: Command {
  static let recipe = Argument<GivenRecipe?>.optional(
    "RECIPE", .recipe, help: "a preset, or the path of a JSON file; all presets without it")

  static let declaration = CommandDeclaration(
    name: "recipe", abstract: "Lists training recipes, or shows the rules of one",
    output: .report, arguments: [recipe],
    examples: [
      .init(line: "recipe", purpose: "all presets"),
      .init(line: "recipe nvfp4", purpose: "its rules, one below the other"),
      .init(line: "recipe nvfp4 --json > mine.json", purpose: "a file to start from"),
    ],
    discussion: [
      """
      With a name, --json writes the recipe as 'fmtbench train --recipe FILE.json' reads it. Change \
      its name before its rules: the names of presets are theirs.
      """
    ] + RecipeHelp.paragraphs)

  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    let format = arguments.reportFormat
    guard let recipe = arguments[recipe]?.recipe else {
      switch format {
      case .table:
        console.write(
          SheetText(console.destination).text(declaration.name, [RecipeSheet.presets]))
      case .json, .csv, .markdown: console.write(presets, as: format)
      }
      return .done
    }
    let sections = RecipeSheet.sections(of: recipe)
    switch format {
    case .table:
      console.write(
        SheetText(console.destination).text("\(declaration.name) \(recipe.name)", sections))
    case .markdown:
      console.write("# \(recipe.name)\n\n" + SheetMarkdown.text(of: sections, level: 2))
    case .json: console.write(recipe.json)
    case .csv: console.write(rules(of: recipe), as: format)
    }
    return .done
  }

  private static var presets: Report {
    var report = Report(
      command: declaration.name,
      columns: [
        .init(key: "recipe", title: "Recipe"), .init(key: "formats", title: "Formats"),
        .init(key: "source", title: "Source"),
      ])
    for recipe in Recipe.catalog {
      report.append([.text(recipe.name), .text(recipe.formatText), .text(recipe.source)])
    }
    return report
  }

  private static func rules(of recipe: Recipe) -> Report {
    var report = Report(
      command: declaration.name,
      columns: [
        .init(key: "rule", title: "Rule", style: .general),
        .init(key: "operands", title: "Operands"), .init(key: "choice", title: "Choice"),
      ])
    for (index, rule) in recipe.rules.enumerated() {
      report.append([.integer(index + 1), .text(rule.conditions), .text(rule.choice.description)])
    }
    return report
  }
}
