import BlockFormats
import CommandLineTestSupport
import CommandLineToolkit
import Foundation
import Testing

@testable import FormatBench

@Suite("fmtbench show")
struct ShowCommandTests {
  @Test("The sheet of a bare four-bit element is this text")
  func bareElement() {
    let result = runFmtbench(["show", "e2m1fn"], columns: 200)
    #expect(result.status == .done && result.stderr.isEmpty)
    #expect(
      result.stdout == """
        fmtbench show e2m1fn 0.1.0

        Parameters

        Parameter                 Value                           Code
        ------------------------  ------------------------------  --------
        source                    OCP Microscaling Formats v1.0
        element                   e2m1fn
        bits                      4
        fields                    1 sign, 2 exponent, 1 fraction
        exponent bias             1
        largest                   6                               0x7
        smallest normal           1                               0x2
        smallest above zero       0.5                             0x1
        emax                      2
        zero                      +0 and -0                       0x0, 0x8
        nominal bits per element  4

        Layout

        bit   3 2 1 0
        field S E E M

        element codes c0, c1, ... in their bytes
        bit    7  6  5  4  3  2  1  0
        byte 0 c1 c1 c1 c1 c0 c0 c0 c0

        Plane of a 2 x 65 tensor  Offset  Rows  Codes per row  Bits per code  Bytes per row  Bytes
        ------------------------  ------  ----  -------------  -------------  -------------  -----
        codes                          0     2             65              4             33     66
        total                         66                                                        66

        Rules

        Choice      Default       Meaning                                                                      Others
        ----------  ------------  ---------------------------------------------------------------------------  ---------------------------------------------------------------------------------------------
        rounding    nearest_even  to the nearest value, a tie to the even code                                 nearest_away, toward_zero, up, down, to_odd, nearest_toward_zero, nearest_half_up, stochastic
        non-finite  element       NaN stays in its element, Inf follows the overflow rule; scales ignore both  nan_to_zero
        zero sign   kept          a zero has the sign of the value that it stands for                          positive, kept_unless_zero, negative_for_zero

        code    = e2m1fn of x, rounded
        decoded = q

        Values of codes

        e2m1fn, 16 codes:

        Code  +0    +1  +2    +3  +4  +5  +6  +7
        ----  --  ----  --  ----  --  --  --  --
        0x0    0   0.5   1   1.5   2   3   4   6
        0x8   -0  -0.5  -1  -1.5  -2  -3  -4  -6

        Special cases

        Block            Values                         Codes    Decoded
        ---------------  -----------------------------  -------  --------------
        zeros            0, -0, 0, 0                    0 8 0 0  0, -0, 0, 0
        one NaN          1, NaN, -0.5, 0                2 7 9 0  1, 6, -0.5, 0
        one infinity     1, -Inf, -0.5, 0               2 F 9 0  1, -6, -0.5, 0
        largest FP32     3.4028235e+38, -3.4028235e+38  7 F      6, -6
        smallest FP32    2^-149, -2^-149                0 8      0, -0
        one ulp below 1  0.99999994, 0.5, -0.25, 0      2 1 8 0  1, 0.5, -0, 0
        power of two     1, 0.5, -0.25, 0               2 1 8 0  1, 0.5, -0, 0
        one ulp above 1  1.0000001, 0.5, -0.25, 0       2 1 8 0  1, 0.5, -0, 0

        Worked block

        Step            Result
        --------------  -----------------------------
        values          1, -2, 3, 3.5, 5, 6.5, 7, 7.9
        codes           2 C 5 6 6 7 7 7
        element values  1, -2, 3, 4, 4, 6, 6, 6
        code bytes      C2 65 76 77
        decoded         1, -2, 3, 4, 4, 6, 6, 6

        """)
  }

  /// The worked blocks that independent encoders gave, as bytes.
  @Test(
    "Worked blocks have the bytes of independent encoders",
    arguments: [
      ("mxfp8_e4m3", "79", "68 F0 74 76 7A 7D 7E 7E"),
      ("mxfp8_e5m2", "72", "70 F4 76 77 79 7A 7B 7B"),
      ("mxfp4", "7F", "C2 65 76 77"),
    ])
  func workedBlocks(id: String, scale: String, codes: String) throws {
    let format = try FormatCatalog.format(id: id)
    let facts = FormatSheet(format: format).worked.facts
    #expect(facts.first { $0.item == "scale_bytes" }?.value == .text(scale))
    #expect(facts.first { $0.item == "code_bytes" }?.value == .text(codes))
  }

  @Test("Six-bit codes fall into bytes as a dense stream from the lowest bit")
  func packing() {
    #expect(
      BitDrawing.packing(of: 6, symbol: "c") == [
        "bit    7  6  5  4  3  2  1  0",
        "byte 0 c1 c1 c0 c0 c0 c0 c0 c0",
        "byte 1 c2 c2 c2 c2 c1 c1 c1 c1",
        "byte 2 c3 c3 c3 c3 c3 c3 c2 c2",
      ])
    #expect(BitDrawing.packing(of: 8, symbol: "c") == nil)
    #expect(BitDrawing.packing(of: 32, symbol: "c") == nil)
  }

  @Test("The other half of a signed eight-bit format follows from the half that is shown")
  func foldedValues() {
    #expect(
      ValueGrid(.e4m3fnuz)?.remarks == [
        "Code c + 0x80 is the negative of code c. But: 0x80 is NaN."
      ])
    #expect(ValueGrid(.e5m2)?.remarks == ["Code c + 0x80 is the negative of code c."])
    #expect(
      ValueGrid(.int8)?.remarks == [
        "Code 0x100 - c is the negative of code c. But: 0x80 is -128. "
          + "The encoder never produces 0x80."
      ])
    #expect(ValueGrid(.e8m0fnu)?.formula == "e8m0fnu: code c is 2^(c - 127), 0xFF is NaN.")
    #expect(ValueGrid(.ue4m3)?.formula == nil)
    #expect(ValueGrid(.bf16) == nil)
  }

  @Test("Only alternatives that store other bytes are offered")
  func alternatives() {
    let nvfp4 = TwoLevelFormat.nvfp4
    #expect(
      PolicyAspect.scaleFloor.alternatives(for: nvfp4)
        == ["least_nonzero", "least_normal", "eighth_for_zero"])
    #expect(
      PolicyAspect.scaleArithmetic.alternatives(for: nvfp4) == ["divide", "reciprocal", "quotient"])
    let signs = ["positive", "kept_unless_zero", "negative_for_zero"]
    for format in [nvfp4 as any BlockFormat, SharedExponentFormat.mxfp4] {
      #expect(PolicyAspect.zeroSign.alternatives(for: format) == signs)
    }
    #expect(PolicyAspect.zeroSign.alternatives(for: SharedExponentFormat.mxint8).isEmpty)
    #expect(PolicyAspect.zeroBlock.alternatives(for: nvfp4) == ["one"])
    #expect(PolicyAspect.overflow.alternatives(for: nvfp4).isEmpty)
    let mxfp8 = SharedExponentFormat.mxfp8E4M3
    #expect(PolicyAspect.overflow.alternatives(for: mxfp8) == ["special"])
    #expect(PolicyAspect.scaleFloor.alternatives(for: mxfp8).isEmpty)
    #expect(
      PolicyAspect.nonFinite.alternatives(for: mxfp8) == ["element", "nan_to_zero", "nan_to_max"])
  }

  @Test("JSON has every value of every code, as numbers and names that read back")
  func json() throws {
    let result = runFmtbench(["show", "e4m3fn", "--json"])
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(result.stdout.utf8)) as? [String: Any])
    #expect(object["command"] as? String == "show")
    #expect(object["format"] as? String == "e4m3fn")
    let rows = try #require(object["rows"] as? [[String: Any]])
    let values = rows.filter { $0["section"] as? String == "values" }
    #expect(values.count == ElementFormat.e4m3fn.codeCount)
    for (code, row) in values.enumerated() {
      #expect(row["item"] as? String == ExactNumber.hex(UInt32(code), bitWidth: 8))
      let value = ElementFormat.e4m3fn.value(of: UInt32(code))
      if value.isNaN {
        #expect(row["value"] as? String == "NaN")
      } else {
        #expect((row["value"] as? Double)?.bitPattern == value.bitPattern)
      }
    }
  }

  @Test("Every format of the catalog, P3109 elements and parametrised formats have all sections")
  func everyFormat() throws {
    let keys = ["parameters", "layout", "rules", "values", "special_cases", "worked_block"]
    for id in FormatCatalog.all.map(\.id) + ["binary8p4se", "bdr(m=5,k1=32,k2=4,d1=8,d2=2)"] {
      let sections = FormatSheet(format: try FormatCatalog.format(id: id)).sections
      #expect(sections.map(\.key) == keys, "\(id)")
      for section in sections where section.key != "values" {
        #expect(!section.facts.isEmpty, "\(id) \(section.key)")
      }
    }
    for form in [[], ["--markdown"], ["--json"], ["--csv"]] {
      let result = runFmtbench(["show", "bdr(m=5,k1=32,k2=4,d1=8,d2=2)"] + form)
      #expect(result.status == .done && result.stdout.contains("arXiv 2302.08007"), "\(form)")
    }
  }

  @Test("Planes of a tensor that no memory holds are told, not made")
  func largestTile() {
    let result = runFmtbench(["show", "fp8(element=e4m3fn,block=1048576x1048576)", "--csv"])
    #expect(result.status == .done)
    // 1048577 rows of 1048577 bytes, and the FP32 scales of 2 x 2 tiles behind them.
    #expect(result.stdout.contains("layout,codes,bytes,1099513724929\n"))
    #expect(result.stdout.contains("layout,scales,offset,1099513724929\n"))
    #expect(result.stdout.contains("layout,total,bytes,1099513724945\n"))
  }

  @Test("An unknown name with parameters is an unknown name")
  func unknownNameWithParameters() {
    for (arguments, message) in [
      (["show", "mxpf4(block=16)"], "unknown format 'mxpf4'; did you mean 'mxfp4'?"),
      (["explain", "nvfp5(block=16)", "1"], "unknown format 'nvfp5'; did you mean 'nvfp4'?"),
      (["show", "e4m3fm(x=1)"], "unknown format 'e4m3fm'; did you mean 'e4m3fn'?"),
      (
        ["compare", "--formats", "mxpf4(block=16)"], "unknown format 'mxpf4'; did you mean 'mxfp4'?"
      ),
      (
        ["encode", "a.npy", "--format", "mxpf4", "--block", "16", "--output", "o"],
        "unknown format 'mxpf4'; did you mean 'mxfp4'?"
      ),
      (["show", "e4m3fn(x=1)"], "format 'e4m3fn' has no parameter 'x'"),
    ] {
      let result = runFmtbench(arguments)
      #expect(result.status == .usage && result.stderr.contains(message), "\(result.stderr)")
    }
  }

  @Test("An unknown format is refused with the nearest name")
  func unknownFormat() {
    #expect(
      runFmtbench(["show", "mxpf4"])
        == RunResult(
          status: .usage, stdout: "",
          stderr: """
            fmtbench: error: unknown format 'mxpf4'; did you mean 'mxfp4'?
            see 'fmtbench list' for all formats

            """))
  }

  @Test("Numbers of sheets are short and exact")
  func exactNumbers() {
    let expected: [(Double, String)] = [
      (0, "0"), (-0.0, "-0"), (448, "448"), (0.375, "0.375"), (0x1p-9, "2^-9"),
      (-0x3p-16, "-3·2^-16"), (Double(Float.greatestFiniteMagnitude), "3.4028235e+38"),
      (Double(Float(0.1)), "0.1"), (0.1, "0.1"), (.nan, "NaN"), (-.infinity, "-Inf"),
      (0x1p127, "2^127"), (1_234_567_890.5, "1234567890.5"),
    ]
    for (value, text) in expected { #expect(ExactNumber.text(value) == text) }
    #expect(ExactNumber.hex(0x7, bitWidth: 3) == "0x7")
    #expect(ExactNumber.hex(0x7, bitWidth: 9) == "0x007")
  }

  @Test("On a terminal, long texts are wrapped within their columns and numbers stay whole")
  func narrowTerminal() {
    let table = SheetTable(
      [.init("a", "Name"), .init("b", "Number", .right), .init("c", "Text")],
      rows: [
        [.text("one"), .number(0.375), .text("several words that do not fit")],
        [.text("two"), .number(448), .text("short")],
      ])
    let section = SheetSection(key: "s", title: "Title", parts: [.table(table)])
    let text = SheetText(.terminal(columns: 36, styling: .plain)).text("show x", [section])
    #expect(
      text == """
        fmtbench show x 0.1.0

        Title

        Name  Number  Text
        ----  ------  ----------------------
        one    0.375  several words that do
                      not fit
        two      448  short

        """)
    #expect(
      SheetText(.file).text("show x", [section])
        .contains("one    0.375  several words that do not fit\n"))
  }

  @Test("Headings break before texts do, and columns come in groups at last")
  func narrowerTables() {
    let table = SheetTable(
      [
        .init("a", "Name of it"), .init("b", "Bytes per row", .right),
        .init("c", "Another number", .right),
      ], rows: [[.text("one"), .number(0.375), .number(1_234_567)]])
    let section = SheetSection(key: "s", title: "T", parts: [.table(table)])
    func text(_ columns: Int) -> String {
      SheetText(.stream(columns: columns)).text("show x", [section])
        .split(separator: "T\n\n", maxSplits: 1).last.map(String.init) ?? ""
    }
    #expect(
      text(24) == """
        Name  Bytes
        of      per  Another
        it      row   number
        ----  -----  -------
        one   0.375  1234567

        """)
    #expect(
      text(16) == """
        Name  Bytes
        of      per
        it      row
        ----  -----
        one   0.375

        Name
        of    Another
        it     number
        ----  -------
        one   1234567

        """)
  }

  @Test("Drawings are cut at the same column in all lines, formulas wrapped under themselves")
  func foldedDrawings() {
    func text(_ part: SheetPart, _ columns: Int) -> String {
      SheetText(.stream(columns: columns)).text(
        "show x", [SheetSection(key: "s", title: "T", parts: [part])])
    }
    #expect(
      text(.drawing(["bit   3 2 1 0", "field S E E M"]), 10).hasSuffix(
        """
        T

        bit   3 2
        field S E
        bit   1 0
        field E M

        """))
    #expect(
      text(.steps(["code    = the element nearest to x", "a block"]), 24).hasSuffix(
        """
        code    = the element
                  nearest to x
        a block

        """))
  }

  @Test("Sheets and explanations fit 60 and 80 columns", arguments: [60, 80])
  func widths(columns: Int) {
    let ids = FormatCatalog.all.map(\.id) + ["binary8p4se", "bdr(m=5,k1=32,k2=4,d1=8,d2=2)"]
    for id in ids {
      let explained = ["explain", id, "1", "-2.5", "957", "0.0001", "nan", "1e30", "-3e-39"]
      for words in [["show", id], explained] {
        let result = runFmtbench(words, columns: columns)
        #expect(result.status == .done)
        for line in result.stdout.split(separator: "\n") {
          #expect(TextLayout.width(line) <= columns, "\(words): \(line)")
        }
      }
    }
  }
}
