import CommandLineToolkit
import Testing

@testable import FormatBench

@Suite("Patterns for names of tensors")
struct NamePatternTests {
  private static let names = [
    "", "model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight", "lm_head.bias",
    "model.layers.11.mlp.experts.3.down_proj.weight", "blocks.0.mlp.up.weight", "重み.7", "w_1\n2",
  ]

  private func matches(_ pattern: String, _ name: String) throws -> Bool {
    var work = 0
    return try #require(NamePattern(pattern)).matches(name, work: &work)
  }

  @Test("Ordinary expressions choose what Swift's own expressions choose")
  func ordinary() throws {
    for source in [
      "weight$", "^model", "layers\\.[0-9]+\\.", "q_proj|down_proj", "(?i)MODEL", "\\.\\d{2}\\.",
      "^(?!.*bias).*$", "exp.*?s", "^$", ".", "[^a-z._0-9]", "(a)(t)?.*\\1", "a{2,}",
      "layers\\.(?<number>\\d+)\\.(self_attn|mlp)", "^model\\.(layers\\.\\d+\\.)?",
      "(?:up|down)(?:_proj)?\\.weight", "\\p{Han}", "w_1.2", "x*", "(weight|bias)$",
    ] {
      let expected = try Regex(source)
      for name in Self.names {
        #expect(try matches(source, name) == name.contains(expected), "\(source) on \(name)")
      }
    }
  }

  @Test("A point ends a word, as in most tools and unlike in Swift")
  func wordBoundaries() throws {
    for name in ["blocks.0.mlp.up.weight", "mlp", "0.mlp"] {
      #expect(try matches("\\bmlp\\b", name), "\(name)")
    }
    for name in ["mlp_norm.weight", "0mlp", "amlp.1"] {
      #expect(try !matches("\\bmlp\\b", name), "\(name)")
    }
  }

  @Test("An expression may end in a comment or an open quotation")
  func openEndings() throws {
    #expect(try matches("(?x) down  # the other one", "down_proj"))
    #expect(try !matches("(?x) down  # the other one", "up_proj"))
    #expect(try matches("\\Q0.mlp", "blocks.0.mlp.up"))
    #expect(try !matches("\\Q0.mlp", "blocks.0-mlp.up"))
    #expect(try matches("(?i)UP", "blocks.0.mlp.up"))
  }

  @Test("What is no expression is refused, also where more brackets would make it one")
  func malformed() {
    for source in ["", "(", ")", "a)(b", "[a", "a{2", "*", "(?<n>a", "\\"] {
      #expect(NamePattern(source) == nil, "\(source)")
    }
  }

  @Test("An expression that backtracks without end is given up after the same steps everywhere")
  func exponential() throws {
    let long = String(repeating: "a", count: 200) + "!"
    for source in [
      "^(a+)+$", "^(a|aa)+$", "^(a|a?)+$", "(a*)*b", "(.*)*x", "(a+a+)+b", "(?=(a+)+b)",
      "^((a{1,9}){1,9}){1,9}$", "(a*)*b\\1", "(a?){50}a{250}", "(?:(?:a|aa)+!?)+$x",
    ] {
      let pattern = try #require(NamePattern(source))
      var work = 0
      let error = #expect(throws: CommandError.self, "\(source)") {
        try pattern.matches(long, work: &work)
      }
      #expect(error?.exitStatus == .usage)
      #expect(error?.message.contains("'\(source)' takes too many steps on the name 'aaa") == true)
      #expect(work == NamePattern.nameWorkLimit + 1, "\(source)")
    }
  }

  @Test("What many names take is added up, and ordinary expressions take nothing")
  func sumOfWork() throws {
    let pattern = try #require(NamePattern("^(a+)+$"))
    var work = 0
    var count = 0
    // Some thousands of steps with each letter: a few units of work for a name.
    let name = String(repeating: "a", count: 16) + "!"
    #expect(throws: CommandError.self) {
      while count < 1000 {
        _ = try pattern.matches(name, work: &work)
        count += 1
      }
    }
    #expect(count > NamePattern.workLimit / NamePattern.nameWorkLimit && count < 1000)
    let ordinary = try #require(NamePattern("layers\\.\\d+\\..*weight$"))
    var little = 0
    for _ in 0..<1000 {
      for name in Self.names { _ = try ordinary.matches(name, work: &little) }
    }
    #expect(little == 0)
  }

  @Test("A name too long to look at is an error of its file")
  func longName() throws {
    let pattern = try #require(NamePattern("weight$"))
    var work = 0
    let longest = String(repeating: "w", count: NamePattern.nameLimit)
    #expect(try !pattern.matches(longest, work: &work))
    let error = #expect(throws: CommandError.self) {
      try pattern.matches(longest + "w", work: &work)
    }
    #expect(error?.exitStatus == .input)
  }
}
