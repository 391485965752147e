import Foundation
import Testing
import UntrustedText

@testable import CommandLineToolkit

@Suite("Reports in their four forms")
struct ReportTests {
  private static let hostileName = "a,\"b\"|\n\u{1B}[31mé\\"

  private static let report = {
    var report = Report(
      by: DemoCommand.producer, command: "compare",
      context: [
        .init(key: "seed", value: .integer(7)), .init(key: "level", value: .text("avx2")),
        .init(key: "limit", value: .number(.infinity)),
      ],
      columns: [
        Column(key: "tensor", title: "Tensor", role: .longName),
        Column(key: "count", title: "Count", style: .general),
        Column(key: "qsnr_db", title: "QSNR", unit: "dB", style: .decibels),
        Column(key: "mse", title: "MSE", style: .significant(3)),
      ],
      notes: ["Exact rows have no error."])
    report.append([.text("total"), .integer(12), .number(18.404), .number(1.2345e-5)])
    report.append([.text(hostileName), .integer(0), .number(.infinity), .number(0)])
    report.append([.text(""), .integer(-1), .number(.nan), .number(-.infinity)])
    return report
  }()

  @Test("The table aligns its columns and makes hostile names harmless")
  func table() {
    #expect(
      ReportFormat.table.text(of: Self.report, for: .file) == #"""
        fmtbench compare 9.9
        kernel level: portable
        seed: 7
        level: avx2
        limit: Inf

        Tensor                Count  QSNR dB       MSE
        --------------------  -----  -------  --------
        total                    12    18.40  1.23e-05
        a,"b"|\n\u{1b}[31mé\      0      Inf         0
                                 -1      NaN      -Inf

        Exact rows have no error.

        """#)
  }

  @Test("JSON has the documented text")
  func jsonText() {
    #expect(
      ReportFormat.json.text(of: Self.report, for: .file) == #"""
        {
          "command": "compare",
          "version": "9.9",
          "kernel_level": "portable",
          "seed": 7,
          "level": "avx2",
          "limit": "Infinity",
          "rows": [
            {"tensor": "total", "count": 12, "qsnr_db": 18.404, "mse": 1.2345e-05},
            {"tensor": "a,\"b\"|\n\u001b[31mé\\", "count": 0, "qsnr_db": "Infinity", "mse": 0.0},
            {"tensor": "", "count": -1, "qsnr_db": "NaN", "mse": "-Infinity"}
          ]
        }

        """#)
  }

  @Test("JSON reads back with the same texts and the same doubles")
  func jsonReadsBack() throws {
    let text = ReportFormat.json.text(of: Self.report, for: .file)
    let parsed = try JSONSerialization.jsonObject(with: Data(text.utf8))
    let object = try #require(parsed as? [String: Any])
    let rows = try #require(object["rows"] as? [[String: Any]])
    #expect(
      Set(object.keys)
        == ["command", "version", "kernel_level", "seed", "level", "limit", "rows"])
    #expect(rows.count == 3)
    for row in rows { #expect(Set(row.keys) == ["tensor", "count", "qsnr_db", "mse"]) }
    #expect(rows[0]["mse"] as? Double == 1.2345e-5)
    #expect(rows[1]["tensor"] as? String == Self.hostileName)
    #expect(rows[2]["qsnr_db"] as? String == "NaN")
  }

  @Test("Every double and every scalar below U+3000 survives JSON")
  func jsonSurvival() throws {
    let values = [
      -0.0, Double.leastNonzeroMagnitude, .greatestFiniteMagnitude, 0.1, 1e16, 123_456_789.123,
      -1.0 / 3,
    ]
    let scalars =
      (0..<0x3000 as Range<UInt32>).compactMap(Unicode.Scalar.init) + [
        "\u{1F600}", "\u{E0041}", "\u{10FFFF}",
      ]
    let text = String(String.UnicodeScalarView(scalars))
    var report = Report(
      by: DemoCommand.producer, command: "x",
      columns: [.init(key: "t", title: "T"), .init(key: "v", title: "V", style: .exact)])
    for value in values { report.append([.text(text), .number(value)]) }
    let json = ReportFormat.json.text(of: report, for: .file)
    #expect(!json.unicodeScalars.contains { $0 != "\n" && !isPrintable($0) })
    let parsed = try JSONSerialization.jsonObject(with: Data(json.utf8))
    let rows = try #require((parsed as? [String: Any])?["rows"] as? [[String: Any]])
    for (row, value) in zip(rows, values) {
      #expect((row["v"] as? Double)?.bitPattern == value.bitPattern)
      #expect((row["t"] as? String).map { Array($0.unicodeScalars) } == scalars)
    }
  }

  @Test("CSV quotes what needs it and escapes in texts what a terminal might act upon")
  func csv() {
    #expect(
      ReportFormat.csv.text(of: Self.report, for: .file) == #"""
        tensor,count,qsnr_db,mse
        total,12,18.404,1.2345e-05
        "a,""b""|\n\u{1b}[31mé\\",0,Infinity,0.0
        ,-1,NaN,-Infinity

        """#)
  }

  @Test("In CSV every text is one field of one line, and can be had back")
  func csvReadsBack() {
    let texts = [
      "a\r\nb", "a\rb", " a", "a ", "a b", "\"\u{301},x", ",\u{301}", "\u{301}", "\\n", "\\\n",
      "\\u{1b}", "\u{9b}31m\u{202e}\u{61c}\u{feff}\u{e0041}", "", "\"", "é", "e\u{301}",
    ]
    var report = Report(
      by: DemoCommand.producer, command: "x",
      columns: [.init(key: "t", title: "T"), .init(key: "u", title: "U")])
    for text in texts { report.append([.text(text), .text("end")]) }
    let csv = ReportFormat.csv.text(of: report, for: .file)
    let lines = csv.unicodeScalars.split(separator: "\n").dropFirst()
    #expect(lines.count == texts.count)
    for (line, text) in zip(lines, texts) {
      let fields = Self.fields(ofCSV: line)
      #expect(fields.count == 2 && fields.last.map(String.init) == "end", "\(line)")
      let read = fields.first.map(Self.unescaped)
      #expect(read.map(Array.init) == Array(text.unicodeScalars), "\(line)")
    }
  }

  /// The fields of a line, by RFC 4180.
  private static func fields(ofCSV line: Substring.UnicodeScalarView) -> [String.UnicodeScalarView]
  {
    var fields = [String.UnicodeScalarView()]
    var isQuoted = false
    var previous: Unicode.Scalar?
    for scalar in line {
      switch scalar {
      case "\"":
        // The second of two quotes within a quoted field stands for one.
        if !isQuoted, previous == "\"" { fields[fields.count - 1].append(scalar) }
        isQuoted.toggle()
      case "," where !isQuoted: fields.append(String.UnicodeScalarView())
      default: fields[fields.count - 1].append(scalar)
      }
      previous = scalar
    }
    return fields
  }

  /// The text of a field, by what `CSVReport` says of escapes.
  private static func unescaped(_ field: String.UnicodeScalarView) -> String.UnicodeScalarView {
    var result = String.UnicodeScalarView()
    var rest = Substring(String(field)).unicodeScalars
    while let scalar = rest.popFirst() {
      guard scalar == "\\", let kind = rest.popFirst() else {
        result.append(scalar)
        continue
      }
      switch kind {
      case "n": result.append("\n")
      case "r": result.append("\r")
      case "t": result.append("\t")
      case "u":
        let digits = String(rest.dropFirst().prefix { $0 != "}" })
        rest = rest.dropFirst(digits.unicodeScalars.count + 2)
        if let value = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(value) {
          result.append(scalar)
        }
      default: result.append(kind)
      }
    }
    return result
  }

  @Test("Markdown escapes pipes and tells facts and notes outside the table")
  func markdown() {
    #expect(
      ReportFormat.markdown.text(of: Self.report, for: .file) == #"""
        - kernel_level: portable
        - seed: 7
        - level: avx2
        - limit: Inf

        | Tensor | Count | QSNR dB | MSE |
        | :--- | ---: | ---: | ---: |
        | total | 12 | 18.40 | 1.23e-05 |
        | a,"b"\|\\n\\u{1b}\[31mé\\ | 0 | Inf | 0 |
        |  | -1 | NaN | -Inf |

        Exact rows have no error.

        """#)
  }

  @Test("An empty cell is null in JSON and no text elsewhere")
  func emptyCells() {
    var report = Report(
      by: DemoCommand.producer, command: "gemm",
      columns: [
        Column(key: "a", title: "A"), Column(key: "gops", title: "G op/s", style: .decibels),
      ])
    report.append([.text("x"), .empty])
    let text = { (format: ReportFormat) in format.text(of: report, for: .file) }
    #expect(text(.json).contains(#"{"a": "x", "gops": null}"#))
    #expect(text(.csv) == "a,gops\nx,\n")
    #expect(text(.markdown).contains("| x |  |"))
    #expect(text(.table).hasSuffix("\nx\n"))
  }

  @Test("A report without rows says so, and keeps its shape for programs")
  func empty() {
    let report = Report(
      by: DemoCommand.producer, command: "x", columns: [.init(key: "t", title: "T")])
    let level = "portable"
    #expect(
      ReportFormat.table.text(of: report, for: .file)
        == "fmtbench x 9.9\nkernel level: \(level)\n\n(no rows)\n")
    #expect(ReportFormat.json.text(of: report, for: .file).hasSuffix("\"rows\": []\n}\n"))
    #expect(ReportFormat.csv.text(of: report, for: .file) == "t\n")
    #expect(
      ReportFormat.markdown.text(of: report, for: .file)
        == "- kernel_level: \(level)\n\n| T |\n| :--- |\n")
  }
}
