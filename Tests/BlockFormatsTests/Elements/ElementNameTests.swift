import BlockFormats
import FormatTestSupport
import Testing

@Suite("Element formats: names")
struct ElementNameTests {
  @Test("Every name parses to the format that carries it")
  func roundTrip() throws {
    let cases =
      ElementCase.narrow + ElementCase.wide + ElementCase.smallFloats + ElementCase.p3109
      + ElementCase.oddBiases
    for item in cases {
      let parsed = try ElementFormat(parsing: item.reference.name)
      #expect(parsed == item.format)
      #expect(parsed.name == item.reference.name)
      #expect("\(parsed)" == item.reference.name)
    }
  }

  @Test("The listing has every format with a name of its own once")
  func listing() throws {
    let names = ElementFormat.named.map(\.name)
    #expect(Set(names).count == names.count)
    for name in [
      "e4m3fn", "e5m2", "e4m3fnuz", "e5m2fnuz", "e4m3b11fnuz", "e4m3", "e3m4", "e2m3fn", "e3m2fn",
      "e2m1fn", "e8m0fnu", "ue4m3", "ue5m3", "int8", "int4", "bf16", "fp16", "tf32", "fp32",
    ] {
      #expect(names.contains(name))
    }
    for format in ElementFormat.named { #expect(try ElementFormat(parsing: format.name) == format) }
  }

  @Test("Names ignore case and parameters may come in any order")
  func spelling() throws {
    #expect(try ElementFormat(parsing: "E4M3FN") == .e4m3fn)
    #expect(try ElementFormat(parsing: "Binary8p3SE").name == "binary8p3se")
    #expect(
      try ElementFormat(parsing: "float(signed=no,m=2,e=3,specials=fn)")
        == ElementFormat(parsing: "FLOAT(e=3,m=2,specials=fn,signed=no)"))
    #expect(try ElementFormat(parsing: "float(e=3,m=2,bias=3)").name == "float(e=3,m=2)")
    #expect(try ElementFormat(parsing: "int5").bitWidth == 5)
    #expect(try ElementFormat(parsing: "uint5").bitWidth == 5)
    #expect(try ElementFormat(parsing: "sm5").bitWidth == 6)
  }

  @Test("Names of no format are unknown")
  func unknownNames() {
    for name in [
      "e4m3fnx", "fp8", "int1", "int17", "int", "int08", "int-4", "sm0", "sm16", "uint0", "uint17",
      "binary8p3", "binary8p8se", "binary2p1uf", "binary17p8se", "binary8p0sf", "binary8p9uf",
      "binary16p1se", "binary16p4sf", "e4m3fn ", "mxint3", "int+8", "sm+5", "uint+4",
    ] {
      #expect(throws: FormatNameError.unknownName(name)) { try ElementFormat(parsing: name) }
    }
  }

  @Test("Broken parentheses and pairs are malformed")
  func malformedNames() {
    for name in [
      "", "float(e=4,m=3", "(e=4)", "float(e=4,m)", "float(e=4,=3)", "float(e=4,m=)", "e4m3fn)",
      "float(e=4,e=5,m=3)", "float(e=4,m=3,)", "float()x", "a,b", "a=b",
    ] {
      #expect(throws: FormatNameError.malformed(name)) { try ElementFormat(parsing: name) }
    }
  }

  @Test("Parameters that are missing, unknown or out of range are named")
  func badParameters() {
    #expect(throws: FormatNameError.missingParameter("e", of: "float")) {
      try ElementFormat(parsing: "float(m=3)")
    }
    #expect(throws: FormatNameError.missingParameter("m", of: "float")) {
      try ElementFormat(parsing: "float(e=3)")
    }
    #expect(throws: FormatNameError.unknownParameter("x", of: "e4m3fn", known: [])) {
      try ElementFormat(parsing: "e4m3fn(x=1)")
    }
    let badValues: [(text: String, value: String, key: String)] = [
      ("float(e=0,m=3)", "0", "e"), ("float(e=12,m=3)", "12", "e"), ("float(e=x,m=3)", "x", "e"),
      ("float(e=8,m=8)", "8", "m"), ("float(e=4,m=-1)", "-1", "m"),
      ("float(e=4,m=3,specials=inf)", "inf", "specials"),
      ("float(e=4,m=0)", "ieee", "specials"),
      ("float(e=4,m=3,specials=fnuz,signed=no)", "fnuz", "specials"),
      ("float(e=4,m=3,signed=maybe)", "maybe", "signed"),
      ("float(e=4,m=3,bias=1.5)", "1.5", "bias"), ("float(e=4,m=3,bias=2000)", "2000", "bias"),
      ("float(e=11,m=3,bias=0)", "0", "bias"),
      ("float(e=99999999999999999999,m=3)", "99999999999999999999", "e"),
    ]
    for (text, value, key) in badValues {
      #expect {
        try ElementFormat(parsing: text)
      } throws: { error in
        guard case .badValue(value, of: key, expected: _) = error as? FormatNameError else {
          return false
        }
        return "\(error)".contains("\(key)=\(value)")
      }
    }
  }

  @Test("An unknown parameter of a float is refused with the known ones")
  func unknownFloatParameter() {
    #expect {
      try ElementFormat(parsing: "float(e=4,m=3,biass=7)")
    } throws: { error in
      guard case .unknownParameter("biass", of: "float", let known) = error as? FormatNameError
      else { return false }
      return Set(known).isSuperset(of: ["e", "m", "bias", "specials", "signed"])
    }
  }

  @Test("A float without a positive number is refused")
  func formatsWithoutNumbers() {
    for text in [
      "float(e=1,m=0,specials=fn)", "float(e=1,m=0,specials=top)",
      "float(e=1,m=0,specials=p3109)", "float(e=1,m=0,specials=p3109,signed=no)",
      "float(e=1,m=0,specials=fn,signed=no)",
    ] {
      #expect(throws: FormatNameError.self) { try ElementFormat(parsing: text) }
    }
  }
}
