import BlockFormats
import Testing

@Suite("Format names")
struct FormatCatalogTests {
  /// The default set, in the words of the command line's documentation.
  static let standard = [
    "mxfp8_e4m3", "mxfp8_e5m2", "mxfp6_e2m3", "mxfp6_e3m2", "mxfp4", "mxint8", "mx9", "mx6",
    "mx4", "msfp12", "msfp16", "nvfp4", "nvfp4_2d", "nvfp4_4over6", "fp8_e4m3_tensor",
    "fp8_e4m3_row", "fp8_e4m3_1x128", "fp8_e4m3_128x128", "fp8_e5m2_tensor", "fp8_e5m2_row",
    "fp8_e5m2_1x128", "fp8_e5m2_128x128", "int8_row", "bf16",
  ]

  @Test("The standard formats are the documented ones, and all ids differ")
  func standardSet() {
    #expect(FormatCatalog.standard.map(\.id).sorted() == Self.standard.sorted())
    let ids = FormatCatalog.all.map(\.id)
    #expect(Set(ids).count == ids.count)
    #expect(FormatCatalog.families.allSatisfy { $0.name == $0.name.lowercased() })
  }

  private func expectRoundTrip(_ format: any BlockFormat) throws {
    let parsed = try FormatCatalog.format(id: format.id)
    #expect(parsed.id == format.id)
    #expect(parsed.layout == format.layout, "\(format.id)")
    #expect(parsed.defaultPolicy == format.defaultPolicy, "\(format.id)")
    #expect(parsed.scaleRules == format.scaleRules, "\(format.id)")
    #expect(parsed.source == format.source && !format.source.isEmpty, "\(format.id)")
    #expect(try FormatCatalog.format(id: format.id.uppercased()).id == format.id)
    #expect(format.scaleRules.contains(format.defaultPolicy.scaleRule), "\(format.id)")
  }

  @Test("Every id parses back to an equal format")
  func roundTrip() throws {
    for format in FormatCatalog.all { try expectRoundTrip(format) }
    for (id, _) in ReferenceTable.unusual {
      try expectRoundTrip(try FormatCatalog.format(id: id))
    }
  }

  @Test("Parameters at their defaults and in any order give the canonical id")
  func canonicalIDs() throws {
    for (text, id) in [
      ("mxfp4(block=32)", "mxfp4"), ("MXFP4(BLOCK=16)", "mxfp4(block=16)"),
      ("mx(element=e2m1fn)", "mxfp4"), ("mx(block=8,element=e2m1fn)", "mxfp4(block=8)"),
      ("mx(element=mxint8_full)", "mxint8_full"), ("mx(element=bf16)", "mx(element=bf16,block=32)"),
      ("bdr(m=7)", "mx9"), ("bdr(d2=1,d1=8,k2=2,k1=16,m=4)", "mx6"), ("bdr(m=2,k1=16)", "mx4"),
      ("bdr(m=3)", "bdr(m=3,k1=16,k2=2,d1=8,d2=1)"), ("bfp(m=3)", "msfp12"),
      ("bfp(m=7,block=16,d1=8)", "msfp16"), ("bfp(m=2)", "bfp(m=2,block=16,d1=8)"),
      ("nvfp4(block=16)", "nvfp4"), ("nvfp4_4over6(block=32)", "nvfp4_4over6(block=32)"),
      ("vsq(scale_bits=6)", "vsq"), ("vsq(bits=8)", "vsq(bits=8,block=16,scale_bits=6)"),
      ("int(bits=8,block=row)", "int8_row"), ("int(block=tensor,bits=8)", "int8_tensor"),
      ("int(bits=4,block=32)", "int4_1x32"), ("int(bits=3,block=5)", "int(bits=3,block=5)"),
      ("float(m=3,e=4)", "float(e=4,m=3)"), ("float(e=4,m=3,bias=7)", "float(e=4,m=3)"),
      ("float(e=4,m=3,bias=11,specials=fnuz)", "float(e=4,m=3,bias=11,specials=fnuz)"),
      ("nvfp4(block=16x16)", "nvfp4_2d"), ("nvfp4(block=8x2)", "nvfp4(block=8x2)"),
      ("nvfp4_4over6(block=16x16)", "nvfp4_4over6(block=16x16)"),
      ("fp8(element=e5m2,block=128)", "fp8_e5m2_1x128"),
      ("fp8(element=e4m3fn,block=64)", "fp8(element=e4m3fn,block=64)"),
      ("fp8(element=e4m3fn,block=2x5)", "fp8(element=e4m3fn,block=2x5)"),
      ("int(bits=8,block=4x4)", "int(bits=8,block=4x4)"),
      ("mx(element=e5m0fnu)", "mx(element=e5m0fnu,block=32)"),
      (
        "scaled(scale=bf16,element=e2m1fn,block=16)", "scaled(element=e2m1fn,block=16,scale=bf16)"
      ),
      (
        "scaled(element=int4,block=row,scale=fp16,tensor_scale=yes)",
        "scaled(element=int4,block=row,scale=fp16,tensor_scale=yes)"
      ),
      (
        "scaled(element=e3m4,block=8x8,scale=e5m0fnu)",
        "scaled(element=e3m4,block=8x8,scale=e5m0fnu)"
      ),
      (
        "scaled(element=sm3,block=tensor,scale=fp32)", "scaled(element=sm3,block=tensor,scale=fp32)"
      ),
      ("binary8p3se", "binary8p3se"), ("sm5", "sm5"), ("uint6", "uint6"),
    ] {
      #expect(try FormatCatalog.format(id: text).id == id, "\(text)")
    }
    #expect(try FormatCatalog.format(id: "mxfp4", block: 16).id == "mxfp4(block=16)")
    #expect(try FormatCatalog.format(id: "mxfp4(block=8)", block: 16).id == "mxfp4(block=16)")
  }

  private func error(_ text: String, block: Int? = nil) -> FormatNameError? {
    do throws(FormatNameError) {
      _ = try FormatCatalog.format(id: text, block: block)
      return nil
    } catch {
      return error
    }
  }

  @Test("Unknown names are named")
  func unknownNames() {
    for text in ["mxfp5", "fp8_e4m3_1x64", "binary8p9sf", "binary2p1sf", "int1", "int17", "sm0"] {
      #expect(error(text) == .unknownName(text), "\(text)")
    }
    #expect(error("mx(element=e9m9)") == .unknownName("e9m9"))
    // What is not known has no parameters that could be wrong.
    #expect(error("mxfp5(block=16)") == .unknownName("mxfp5"))
    #expect(error("mxfp5", block: 16) == .unknownName("mxfp5"))
    #expect(error("mx(element=e9m9(x=1))") == .unknownName("e9m9"))
    #expect(FormatNameError.unknownName("x").description == "unknown format 'x'")
  }

  @Test("Malformed texts are refused")
  func malformed() {
    for text in [
      "", "(", ")", "()", "(m=3)", "mxfp4(", "mxfp4)", "mxfp4()", "mxfp4(block=8",
      "mxfp4(block)", "mxfp4(block=)", "mxfp4(=8)", "mxfp4(block=8,block=8)", "mxfp4(block=8)x",
      "mxfp4,mxint8", "mxfp4(block=8,)", "block=8",
    ] {
      #expect(error(text) == .malformed(text), "\(text)")
    }
  }

  @Test("Parameters that a family has not, needs, or cannot take say what it accepts")
  func parameters() {
    #expect(
      error("mxfp4(size=8)") == .unknownParameter("size", of: "mxfp4", known: ["block"]))
    #expect(
      error("fp8_e4m3_row(block=8)")
        == .unknownParameter("block", of: "fp8_e4m3_row", known: []))
    #expect(error("bf16", block: 8) == .unknownParameter("block", of: "bf16", known: []))
    #expect(error("mx") == .missingParameter("element", of: "mx"))
    #expect(error("bdr(k1=16)") == .missingParameter("m", of: "bdr"))
    #expect(error("int(bits=4)") == .missingParameter("block", of: "int"))
    let blocks = "an integer in 1...1048576"
    for value in ["0", "-1", "1048577", "x", "99999999999999999999", "1.5"] {
      #expect(
        error("mxfp4(block=\(value))") == .badValue(value, of: "block", expected: blocks))
    }
    #expect(error("mxfp4", block: 0) == .badValue("0", of: "block", expected: blocks))
    #expect(
      error("bdr(m=4,k1=16,k2=3)")
        == .badValue("3", of: "k2", expected: "a divisor of k1=16"))
    #expect(
      error("bdr(m=4,k1=15)") == .badValue("2", of: "k2", expected: "a divisor of k1=15"))
    #expect(
      error("bdr(m=4,k1=4,k2=8)") == .badValue("8", of: "k2", expected: "an integer in 1...4"))
    for (text, key, value, range) in [
      ("bdr(m=16)", "m", "16", "1...15"), ("bdr(m=4,d1=1)", "d1", "1", "2...8"),
      ("bdr(m=4,d2=9)", "d2", "9", "1...8"), ("bfp(m=0)", "m", "0", "1...15"),
      ("bfp(m=3,d1=9)", "d1", "9", "2...8"), ("vsq(bits=9)", "bits", "9", "2...8"),
      ("vsq(scale_bits=11)", "scale_bits", "11", "2...10"),
      ("int(bits=17,block=4)", "bits", "17", "2...16"), ("float(e=0,m=3)", "e", "0", "1...11"),
      ("float(e=8,m=8)", "m", "8", "0...7"),
    ] {
      #expect(
        error(text) == .badValue(value, of: key, expected: "an integer in \(range)"), "\(text)")
    }
    let description = error("bdr(m=4,k1=16,k2=3)")?.description
    #expect(description == "k2=3 is not valid; expected a divisor of k1=16")
  }
}
