import Testing

@testable import CommandLineToolkit

@Suite("Tables on narrow terminals")
struct TextTableTests {
  private static let report = {
    var report = Report(
      by: DemoCommand.producer, command: "compare",
      columns: [
        Column(key: "tensor", title: "Tensor", role: .longName),
        Column(key: "format", title: "Format"),
        Column(key: "rounding", title: "Rounding", role: .setting),
        Column(key: "max_abs_error", title: "Max error", style: .significant(3)),
        Column(key: "exact_block_percent", title: "Exact blocks", unit: "%", style: .percent),
      ])
    let name = "encoder.layer.0.attention.query.weight"
    report.append([.text(name), .text("mxfp4"), .text("nearest"), .number(0.25), .number(0)])
    report.append([.text("total"), .text("mx9"), .text("nearest"), .number(0.5), .number(50)])
    return report
  }()

  private func table(_ columns: Int, styling: Styling = .plain) -> String {
    ReportFormat.table.text(of: Self.report, for: .terminal(columns: columns, styling: styling))
  }

  @Test("With room enough the table is that of a file, and a uniform setting is told once")
  func wide() {
    #expect(table(200) == ReportFormat.table.text(of: Self.report, for: .file))
    #expect(
      table(200) == """
        fmtbench compare 9.9
        kernel level: portable
        rounding: nearest

        Tensor                                  Format  Max error  Exact blocks %
        --------------------------------------  ------  ---------  --------------
        encoder.layer.0.attention.query.weight  mxfp4       0.250               0
        total                                   mx9         0.500            50.0

        """)
  }

  @Test("Headings break before any name is cut")
  func wrappedHeadings() {
    #expect(
      table(61) == """
        fmtbench compare 9.9
        kernel level: portable
        rounding: nearest

                                                                Exact
                                                          Max  blocks
        Tensor                                  Format  error       %
        --------------------------------------  ------  -----  ------
        encoder.layer.0.attention.query.weight  mxfp4   0.250       0
        total                                   mx9     0.500    50.0

        """)
    #expect(table(73) == table(200))
    #expect(table(72) == table(61))
  }

  @Test("Then long names lose their middle")
  func elidedNames() {
    #expect(
      table(44) == """
        fmtbench compare 9.9
        kernel level: portable
        rounding: nearest

                                               Exact
                                         Max  blocks
        Tensor                 Format  error       %
        ---------------------  ------  -----  ------
        encoder.la…ery.weight  mxfp4   0.250       0
        total                  mx9     0.500    50.0

        """)
  }

  @Test("At last the columns come in groups with the names repeated")
  func groups() {
    #expect(
      table(34) == """
        fmtbench compare 9.9
        kernel level: portable
        rounding: nearest

                                    Max
        Tensor            Format  error
        ----------------  ------  -----
        encoder.….weight  mxfp4   0.250
        total             mx9     0.500

                                   Exact
                                  blocks
        Tensor            Format       %
        ----------------  ------  ------
        encoder.….weight  mxfp4        0
        total             mx9       50.0

        """)
  }

  @Test("No line is longer than the terminal while a name and one value fit")
  func lineWidths() {
    for columns in 32...100 {
      for line in table(columns).split(separator: "\n") {
        #expect(TextLayout.width(line) <= columns, "\(columns): \(line)")
      }
    }
  }

  @Test("A setting that differs between rows, or stands in a single row, stays a column")
  func settings() {
    var report = Report(
      by: DemoCommand.producer, command: "x",
      columns: [Column(key: "rounding", title: "Rounding", role: .setting)])
    report.append([.text("nearest")])
    let one = ReportFormat.table.text(of: report, for: .file)
    #expect(one.hasSuffix("\n\nRounding\n--------\nnearest\n"))
    report.append([.text("odd")])
    let two = ReportFormat.table.text(of: report, for: .file)
    #expect(two.hasSuffix("\n\nRounding\n--------\nnearest\nodd\n"))
  }

  @Test("Headings are bold on a terminal with colour, and widths do not count the styling")
  func styling() {
    let styled = table(44, styling: .ansi)
    #expect(styled.contains("\u{1B}[1mTensor                 Format  error       %\u{1B}[0m\n"))
    let plain = styled.replacing("\u{1B}[1m", with: "").replacing("\u{1B}[0m", with: "")
    #expect(plain == table(44))
  }

  @Test("Controls, invisible characters and separators of lines are escaped, and little else")
  func escaping() {
    let harmful =
      Array((0...0x1F as ClosedRange<UInt32>)) + Array(0x7F...0x9F) + Array(0x200B...0x200F)
      + Array(0x2028...0x202E) + Array(0x2060...0x2069)
      + [0xAD, 0x61C, 0x180E, 0xE000, 0xFEFF, 0xFFF9, 0xE0001, 0xE0041, 0x10FFFF]
    for scalar in harmful.compactMap(Unicode.Scalar.init) {
      #expect(TextLayout.escaped(String(scalar)).hasPrefix("\\"), "\(scalar.value)")
    }
    let harmless =
      Array(0x20...0x7E as ClosedRange<UInt32>) + Array(0xAE...0x17F)
      + Array(0x4E00...0x4EFF) + Array(0x1F600...0x1F640) + [0x301, 0x2026, 0xFFFD]
    for scalar in harmless.compactMap(Unicode.Scalar.init) {
      #expect(TextLayout.escaped(String(scalar)) == String(scalar), "\(scalar.value)")
    }
    #expect(TextLayout.escaped("a\u{9B}31m\r\n\t\u{202E}z") == #"a\u{9b}31m\r\n\t\u{202e}z"#)
  }

  @Test("Wide and combining characters are counted by the columns they take")
  func widths() {
    #expect(TextLayout.width("abc") == 3)
    #expect(TextLayout.width("重み") == 4)
    #expect(TextLayout.width("e\u{301}") == 1)
    #expect(TextLayout.elided("重重重重", width: 5) == "重…重")
    #expect(TextLayout.elided("abcdef", width: 6) == "abcdef")
    #expect(TextLayout.elided("abcdef", width: 5) == "ab…ef")
    #expect(TextLayout.elided("abcdef", width: 1) == "…")
    #expect(TextLayout.elided("abcdef", width: 0) == "")
  }

  @Test("Before columns come in groups, gaps shrink to a blank and headings that are names are cut")
  func namedHeadings() {
    var report = Report(
      by: DemoCommand.producer, command: "x",
      columns: [
        Column(key: "format", title: "Format"),
        Column(key: "a", title: "outlier_channels", style: .decibels, role: .namedValue),
        Column(key: "b", title: "b.weight", style: .decibels, role: .namedValue),
      ])
    report.append([.text("mxfp4"), .number(12.5), .number(3)])
    func rows(_ columns: Int) -> String {
      let text = ReportFormat.table.text(of: report, for: .stream(columns: columns))
      return String(text.split(separator: "\n\n", maxSplits: 1)[1])
    }
    #expect(
      rows(34) == """
        Format  outlier_channels  b.weight
        ------  ----------------  --------
        mxfp4              12.50      3.00

        """)
    #expect(
      rows(33) == """
                 outlier       b
        Format  channels  weight
        ------  --------  ------
        mxfp4      12.50    3.00

        """)
    #expect(
      rows(19) == """
               ou…er      b
        Format ch…ls weight
        ------ ----- ------
        mxfp4  12.50   3.00

        """)
    let (whole, parted) = (
      ReportDestination.stream(columns: 18), ReportDestination.stream(columns: 17)
    )
    #expect(TextTable(report, whole).isWhole && !TextTable(report, parted).isWhole)
    for columns in 16...40 {
      for line in rows(columns).split(separator: "\n") {
        #expect(TextLayout.width(line) <= columns, "\(columns): \(line)")
      }
    }
  }
}
