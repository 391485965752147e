import CommandLineTestSupport
import CommandLineToolkit
import Foundation
import LowPrecisionTraining
import Testing
import TrainingRecipes

@testable import FormatBench

@Suite("fmtbench recipe, and recipes of one's own")
struct RecipeCommandTests {
  /// Runs a command on a file of the given content; `FILE` stands for its path.
  private func run(_ words: String, _ json: String) throws -> (RunResult, path: String) {
    let folder = try TemporaryFolder()
    let path = folder.path("mine.json")
    try json.write(toFile: path, atomically: true, encoding: .utf8)
    let arguments = words.split(separator: " ").map { $0 == "FILE" ? path : String($0) }
    return (runFmtbench(arguments), path)
  }

  @Test("Without a name every preset is listed with its formats")
  func list() {
    let result = runFmtbench(["recipe"])
    #expect(result.status == .done && result.stderr.isEmpty)
    for recipe in Recipe.catalog { #expect(result.stdout.contains("\n\(recipe.name) ")) }
    #expect(result.stdout.contains("mxfp4, mxfp6_e3m2"))
    let csv = runFmtbench(["recipe", "--csv"])
    #expect(csv.stdout.split(separator: "\n").count == Recipe.catalog.count + 1)
  }

  @Test("A name shows source, notes and rules, folded to the width of a terminal")
  func sheet() {
    for recipe in Recipe.catalog {
      let result = CommandLineTestSupport.run(
        Fmtbench.tool, ["recipe", recipe.name], output: CaptureSink(terminalColumns: 80),
        variables: ["NO_COLOR": "1"])
      #expect(result.status == .done && result.stderr.isEmpty)
      let lines = result.stdout.split(separator: "\n")
      #expect(lines.allSatisfy { $0.count <= 80 }, "\(recipe.name)")
    }
    let text = runFmtbench(["recipe", "nvfp4"], columns: 1000).stdout
    #expect(text.contains("Source: arXiv 2509.25149"))
    #expect(text.contains("last 15 % of blocks, rounded down, at least one (of 4 blocks 1, 25 %)"))
    #expect(text.contains("rounding stochastic(bits=32)"))
  }

  @Test("--json prints a file that train reads as the same recipe", arguments: Recipe.catalog)
  func roundTrip(recipe: Recipe) throws {
    let result = runFmtbench(["recipe", recipe.name, "--json"])
    #expect(result.status == .done)
    let folder = try TemporaryFolder()
    let path = folder.path("mine.json")
    try result.stdout.write(toFile: path, atomically: true, encoding: .utf8)
    #expect(try GivenRecipe(path: path) == GivenRecipe(recipe, path: path))
    #expect(runFmtbench(["recipe", path, "--json"]).stdout == result.stdout)
  }

  @Test("A file with a preset's name and other rules is refused: results would bear the name")
  func presetName() throws {
    let json = Recipe.mxfp4.json.replacing("\"nearest_even\"", with: "\"nearest_away\"")
    let (result, path) = try run("train --list-layers --recipe FILE", json)
    #expect(result.status == .input)
    #expect(
      result.stderr.contains(
        "\(path): the name 'mxfp4' is a preset's, whose rules are others; give the recipe another"))
    let (renamed, _) = try run(
      "train --list-layers --recipe FILE",
      json.replacing("\"name\": \"mxfp4\"", with: "\"name\": \"mine\""))
    #expect(renamed.status == .done && renamed.stderr.isEmpty)
  }

  @Test("Every error of a recipe's file names the file and has status 3")
  func errors() throws {
    let cases: [(json: String, message: String)] = [
      ("{", "not JSON at line 1, column 2: expected a key"),
      (#"{"name": "a"}"#, "recipe: 'rules' is missing"),
      (
        #"{"name": "a", "rules": [{"quantizer": {"format": "mxfp5"}}]}"#,
        "recipe.rules[0].quantizer.format: 'mxfp5' is not valid"
      ),
      (
        #"{"name": "a", "rules": [{"names": ["blocks.0.nope"], "quantizer": "bf16"}]}"#,
        "rule 1 of recipe 'a' (layers named blocks.0.nope): the model has no layer 'blocks.0.nope'; "
          + "near it are blocks.0.attention.qkv, "
      ),
      (
        #"{"name": "a", "rules": [{"blocks": {"only": [99]}, "quantizer": "bf16"}]}"#,
        "rule 1 of recipe 'a' (blocks 99): the model has no block 99; its 4 blocks count from 0; "
          + "'fmtbench train --list-layers' lists the model's layers"
      ),
      (
        #"{"name": "a", "rules": [{"tensors": ["weight"], "layers": ["mlp_up"], "quantizer": "#
          + #"{"format": "mxfp4", "transform": {"hadamard": 32}}}]}"#,
        "forward of mlp_up 'blocks.0.mlp.up' of block 0 of 4: the operands have different transforms"
      ),
    ]
    for (json, message) in cases {
      for words in ["train --list-layers --recipe FILE", "train --list-layers --baseline FILE"] {
        let (result, path) = try run(words, json)
        #expect(result.status == .input && result.stdout.isEmpty)
        #expect(
          result.stderr.hasPrefix("fmtbench: error: \(path): \(message)"), "\(result.stderr)")
      }
    }
    let missing = runFmtbench(["recipe", "/nowhere/mine.json"])
    #expect(missing.status == .input && missing.stderr.contains("/nowhere/mine.json"))
    let unknown = runFmtbench(["recipe", "nvfp5"])
    #expect(unknown.status == .usage && unknown.stderr.contains("did you mean 'nvfp4'?"))
  }

  @Test("A rule of one's own for kinds of layers that the model lacks is a warning")
  func idleRules() throws {
    let json =
      #"{"name": "a", "base": "mxfp4", "#
      + #""rules": [{"layers": ["mamba_in"], "quantizer": "bf16"}]}"#
    let (transformer, path) = try run("train --list-layers --recipe FILE", json)
    #expect(transformer.status == .done)
    #expect(
      transformer.stderr
        == "fmtbench: warning: \(path): rule 4 of recipe 'a' (mamba_in): the model has no such layers\n"
    )
    let (mamba, _) = try run("train --list-layers --model mamba --recipe FILE", json)
    #expect(mamba.status == .done && mamba.stderr.isEmpty)
  }

  @Test("--list-layers lists every layer with its kind, its block and what recipes make of it")
  func layers() throws {
    let result = runFmtbench([
      "train", "--list-layers", "--recipe", "nvfp4,mxfp4", "--model", "moe-hybrid", "--layers", "2",
      "--csv",
    ])
    #expect(result.status == .done && result.stderr.isEmpty)
    let lines = result.stdout.split(separator: "\n")
    #expect(lines.first == "layer,kind,block,recipe_fp32,recipe_nvfp4,recipe_mxfp4")
    let model = try StackedModel(
      ModelKind.moeHybrid.configuration(
        vocabularyCount: 128, width: 96, depth: 2, headCount: 4, context: 64), seed: 0)
    #expect(lines.count == 1 + model.quantizations.count)
    for (line, quantization) in zip(lines.dropFirst(), model.quantizations) {
      #expect(line.hasPrefix("\(quantization.place.name),\(quantization.place.kind.rawValue),"))
    }
    #expect(lines.contains("blocks.0.mamba2.in,mamba_in,0,fp32,\"nvfp4, nvfp4_2d\",mxfp4"))
    #expect(lines.contains("head,head,,fp32,bf16,bf16"))
    let kept = runFmtbench(["train", "--list-layers", "--out", "/nowhere"])
    #expect(kept.status == .usage && kept.stderr.contains("--list-layers and --out exclude"))
  }

  /// The text between two markers of a file of the package.
  private func block(_ file: String, after head: String) throws -> String {
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let text = try String(
      contentsOf: package.appendingPathComponent(file), encoding: .utf8)
    let start = try #require(text.range(of: head + "```json\n")).upperBound
    let end = try #require(text.range(of: "```", range: start..<text.endIndex)).lowerBound
    return String(text[start..<end])
  }

  @Test("The examples of help, README and reference are recipes that the default model takes")
  func examples() throws {
    let help = runFmtbench(["train", "--help"]).stdout
    let start = try #require(help.range(of: "\n  {\n")).lowerBound
    let end = try #require(help.range(of: "\n  }\n")).upperBound
    let texts = [
      String(help[start..<end]), try block("README.md", after: "For example:\n\n"),
      try block("FORMATS.md", after: "<!-- generated: recipe example -->\n\n"),
    ]
    let example = try Recipe(json: Recipe.jsonExample)
    for text in texts {
      #expect(try Recipe(json: text) == example)
      let (result, _) = try run("train --list-layers --recipe FILE", text)
      #expect(result.status == .done && result.stderr.isEmpty)
    }
  }

  @Test("No cell or line about a recipe in the reference is longer than 250 characters")
  func readable() {
    let table = RecipeTable.presets.rows.flatMap { $0 } + RecipeTable.keys.rows.flatMap { $0 }
    for cell in table { #expect(cell.exactText.count <= 200, "\(cell.exactText)") }
    for line in RecipeTable.rules.split(separator: "\n") {
      #expect(line.count <= 250, "\(line)")
    }
  }
}
