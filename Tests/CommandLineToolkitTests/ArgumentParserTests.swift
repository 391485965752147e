import Testing

@testable import CommandLineToolkit

@Suite("Parsing the command line")
struct ArgumentParserTests {
  private func usageError(_ words: String...) -> CommandError? {
    do throws(CommandError) {
      _ = try ArgumentParser(declaration: DemoCommand.declaration).parse(words)
      return nil
    } catch {
      return error
    }
  }

  @Test("A value follows its option as the next word or behind an equals sign")
  func valueForms() throws {
    #expect(try DemoCommand.parse("x", "--seed", "7")[DemoCommand.seed] == 7)
    #expect(try DemoCommand.parse("--seed=7", "x")[DemoCommand.seed] == 7)
    #expect(try DemoCommand.parse("x", "--label=a=b")[DemoCommand.label] == "a=b")
  }

  @Test("Options that are not given have their default, nil or false")
  func absent() throws {
    let parsed = try DemoCommand.parse("x")
    #expect(parsed[DemoCommand.axis] == nil)
    #expect(parsed[DemoCommand.seed] == 0)
    #expect(parsed[DemoCommand.rounding] == .nearestEven)
    #expect(parsed[DemoCommand.sweep] == [])
    #expect(parsed[DemoCommand.formats] == ["mxfp4", "bdr(m=5,k1=32)"])
    #expect(!parsed[DemoCommand.verbose])
    #expect(parsed.reportFormat == .table)
  }

  @Test("Negative numbers, infinities and NaN are values, not options")
  func numbers() throws {
    let parsed = try DemoCommand.parse("x", "-0.5", "--axis", "-1", "-.25", "-inf", "nan", "-1e3")
    #expect(parsed[DemoCommand.axis] == -1)
    let values = parsed[DemoCommand.values]
    #expect(values.count == 5)
    #expect(values[0] == -0.5 && values[1] == -0.25 && values[2] == -.infinity)
    #expect(values[3].isNaN && values[4] == -1000)
    #expect(try DemoCommand.parse("x", "0x1p-149")[DemoCommand.values] == [0x1p-149])
  }

  @Test("After a double dash every word is an argument")
  func terminator() throws {
    let parsed = try DemoCommand.parse("--verbose", "--", "--seed", "1", "2")
    #expect(parsed[DemoCommand.name] == "--seed")
    #expect(parsed[DemoCommand.values] == [1, 2])
    #expect(try DemoCommand.parse("--", "--")[DemoCommand.name] == "--")
    #expect(try DemoCommand.parse("-")[DemoCommand.name] == "-")
  }

  @Test("Lists split at commas outside parentheses and grow with each repetition")
  func lists() throws {
    let parsed = try DemoCommand.parse(
      "x", "--formats", "bdr(m=5,k1=32), mxfp4", "--formats=mx9", "--sweep",
      "stochastic,toward-zero")
    #expect(parsed[DemoCommand.formats] == ["bdr(m=5,k1=32)", "mxfp4", "mx9"])
    #expect(parsed[DemoCommand.sweep] == [.stochastic, .towardZero])
  }

  @Test("A list with an empty item or unbalanced parentheses is refused")
  func brokenLists() {
    #expect(usageError("x", "--formats", "a,,b")?.message == "--formats: empty item in 'a,,b'")
    #expect(usageError("x", "--formats", "")?.message == "--formats: empty item in ''")
    #expect(usageError("x", "--formats", "a(b,c")?.message == "--formats: unclosed '(' in 'a(b,c'")
    #expect(usageError("x", "--formats", "a)b(")?.message == "--formats: unmatched ')' in 'a)b('")
  }

  @Test("A value that is not accepted is named together with what is")
  func refusedValues() {
    #expect(
      usageError("x", "--axis", "8")?.message == "--axis: '8' is not an integer from -8 to 7")
    #expect(
      usageError("x", "--seed=-1")?.message == "--seed: '-1' is not an integer from 0 up")
    #expect(usageError("x", "--seed", "99999999999999999999") != nil)
    #expect(
      usageError("x", "--gain", "nan")?.message == "--gain: 'nan' is not a number from 0 to 1")
    #expect(usageError("x", "1", "two")?.message.hasPrefix("VALUE: 'two' is not a number") == true)
    #expect(usageError("")?.message == "NAME: '' is not a text of at least one character")
  }

  @Test("An unknown choice suggests the nearest and lists them all")
  func choices() {
    let list = "choose from nearest-even, toward-zero, stochastic"
    #expect(
      usageError("x", "--rounding", "stochastik")
        == .usage(
          "--rounding: unknown rounding 'stochastik'; did you mean 'stochastic'?", hint: list))
    #expect(
      usageError("x", "--sweep", "stochastic,up")
        == .usage("--sweep: unknown rounding 'up'", hint: list))
  }

  @Test("An unknown option suggests the nearest, also with one dash too few or too many")
  func unknownOptions() {
    for word in ["--sead", "-seed", "---seed", "--SEED=3", "--sed"] {
      let spelling = word.prefix { $0 != "=" }
      #expect(
        usageError("x", word)?.message == "unknown option '\(spelling)'; did you mean '--seed'?")
    }
    #expect(usageError("x", "-z")?.message == "unknown option '-z'")
    #expect(usageError("x", "--jsom")?.message == "unknown option '--jsom'; did you mean '--json'?")
  }

  @Test("An option without its value, twice, or a flag with a value is refused")
  func misuse() {
    #expect(usageError("x", "--seed")?.message == "--seed needs a value: --seed N")
    #expect(
      usageError("x", "--seed", "--json")
        == .usage(
          "--seed needs a value, and '--json' is an option",
          hint: "write --seed=--json if it is the value"))
    #expect(usageError("x", "--seed", "1", "--seed=1")?.message == "--seed is given twice")
    #expect(usageError("x", "--verbose=yes")?.message == "--verbose takes no value")
    #expect(
      usageError("x", "--json", "--markdown")?.message == "--json and --markdown exclude each other"
    )
    #expect(usageError("--verbose")?.message == "missing argument NAME")
  }

  @Test("A required option that is not given is named with the form of its value")
  func requiredOption() throws {
    let output = Option<String>.required("output", .path, help: "the file to write")
    let input = Argument.optional("INPUT", .path, help: "the file to read")
    let parser = ArgumentParser(
      declaration: CommandDeclaration(
        name: "put", abstract: "Puts", output: .text, arguments: [input], options: [output]))
    #expect(throws: CommandError.usage("missing option --output FILE")) { try parser.parse(["a"]) }
    #expect(try parser.parse(["--output", "b"])[output] == "b")
    #expect(try parser.parse(["--output", "b"])[input] == nil)
    #expect(
      throws: CommandError.usage("unexpected argument 'c'; 'put' takes one argument")
    ) { try parser.parse(["a", "c", "--output=b"]) }
    #expect(throws: CommandError.usage("unknown option '--json'")) { try parser.parse(["--json"]) }
  }

  @Test("An option with a letter is given by either spelling, once; no other letter is known")
  func letters() throws {
    let output = Option<String>.required("output", letter: "o", .path, help: "the file to write")
    let input = Argument<String>.required("IN", .path, help: "the file to read")
    let parser = ArgumentParser(
      declaration: CommandDeclaration(
        name: "put", abstract: "Puts", output: .text, arguments: [input], options: [output]))
    for words in [["-o", "out"], ["-o=out"], ["--output", "out"]] {
      let parsed = try parser.parse(["in"] + words)
      #expect(parsed[output] == "out")
      #expect(!parsed[CommandDeclaration.quiet])
    }
    #expect(try parser.parse(["in", "-q", "-o", "out"])[CommandDeclaration.quiet])
    #expect(throws: CommandError.usage("--output is given twice")) {
      try parser.parse(["in", "-o", "a", "--output", "b"])
    }
    for word in ["-output", "--o", "-x"] {
      #expect(throws: CommandError.self, "\(word)") { try parser.parse(["in", word, "out"]) }
    }
  }
}
