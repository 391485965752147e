import Testing

@testable import CommandLineToolkit

@Suite("Suggestions for mistyped names")
struct SuggestionTests {
  private let formats = ["mxfp4", "mxfp6_e2m3", "mxint8", "nvfp4", "fp8_e4m3_tensor", "bf16"]

  @Test("One slip of the fingers finds the name")
  func slips() {
    for slip in ["mxpf4", "mxfp", "mxfp44", "nxfp4", "mfp4", "mxfp5"] {
      #expect(Suggestion.nearest(to: slip, in: formats) == "mxfp4", "\(slip)")
    }
    #expect(Suggestion.nearest(to: "fp8_e4m3_tenosr", in: formats) == "fp8_e4m3_tensor")
  }

  @Test("Letter case and the kind of dash do not matter")
  func folding() {
    #expect(Suggestion.nearest(to: "MXFP6-E2M3", in: formats) == "mxfp6_e2m3")
  }

  @Test("The beginning of a name suggests the shortest that continues it")
  func completion() {
    #expect(Suggestion.nearest(to: "fp8_e", in: formats) == "fp8_e4m3_tensor")
    #expect(Suggestion.nearest(to: "mxf", in: formats) == "mxfp4")
  }

  @Test("What is far from every name suggests nothing")
  func nothing() {
    for name in ["", "x", "banana", "zz", "posit16"] {
      #expect(Suggestion.nearest(to: name, in: formats) == nil, "\(name)")
    }
    #expect(Suggestion.nearest(to: "mxfp4", in: []) == nil)
  }

  @Test("The longer the name, the more edits are a slip: one, two from six characters, up to four")
  func cutoff() {
    let slips: [(name: String, known: String, isNear: Bool)] = [
      ("abcde", "abcdx", true), ("abcde", "abcxx", false), ("abcdef", "abcdxx", true),
      ("abcdefgh", "abcdexxx", false), ("abcdefghi", "abcdefxxx", true),
      ("abcdefghijklmno", "abcdefghijkxxxx", true), ("abcdefghijklmno", "abcdefghijxxxxx", false),
      ("a", "b", false), ("ab", "ax", true),
    ]
    for slip in slips {
      let found = Suggestion.nearest(to: slip.name, in: [slip.known])
      #expect(found == (slip.isNear ? slip.known : nil), "\(slip)")
    }
  }

  @Test("The earlier of two equally near names wins")
  func tie() {
    #expect(Suggestion.nearest(to: "mxx", in: ["mx9", "mx6"]) == "mx9")
  }

  @Test("A swap of neighbours counts as one edit, and no part is edited twice")
  func distance() {
    func distance(_ a: String, _ b: String) -> Int {
      Suggestion.editDistance(Array(a), Array(b))
    }
    #expect(distance("", "abc") == 3)
    #expect(distance("abc", "") == 3)
    #expect(distance("abcd", "abdc") == 1)
    #expect(distance("kitten", "sitting") == 3)
    // The unrestricted distance would be 2: swap, then insert between the swapped letters.
    #expect(distance("ca", "abc") == 3)
  }
}
