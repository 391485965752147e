import Foundation
import Testing

@testable import LowPrecisionTraining
@testable import TensorFiles

@Suite("Loss curves")
struct LossCurveTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private let curve: LossCurve = {
    var curve = LossCurve()
    curve.append(
      LossCurve.Row(
        step: 0, trainingLoss: 4.85, validationLoss: 1.0 / 3, learningRate: 1e-5,
        gradientNorm: .leastNonzeroMagnitude, tokensPerSecond: 12_345))
    curve.append(
      LossCurve.Row(
        step: 10, trainingLoss: 0.1 + 0.2, learningRate: 3e-4, gradientNorm: .infinity,
        tokensPerSecond: 1e21))
    return curve
  }()

  private func error(_ text: String) throws -> LossCurveError? {
    let path = try folder.write(Array(text.utf8), as: "curve.csv")
    return #expect(throws: LossCurveError.self) { try LossCurve(csvPath: path) }
  }

  @Test("A curve that was written and read is the same")
  func roundTrip() throws {
    try curve.writeCSV(to: folder["curve.csv"])
    #expect(try LossCurve(csvPath: folder["curve.csv"]) == curve)
    try LossCurve().writeCSV(to: folder["curve.csv"])
    #expect(try LossCurve(csvPath: folder["curve.csv"]).rows.isEmpty)
  }

  @Test("The CSV has a heading, and nothing where no validation loss was measured")
  func csv() {
    let lines = curve.csv.split(separator: "\n")
    #expect(
      lines[0]
        == "step,training_loss,validation_loss,learning_rate,gradient_norm,tokens_per_second")
    #expect(lines[2] == "10,0.30000000000000004,,0.0003,Infinity,1e+21")
  }

  @Test("A diverged run can be written and read")
  func diverged() throws {
    var curve = LossCurve()
    curve.append(
      LossCurve.Row(
        step: 3, trainingLoss: .nan, validationLoss: -.infinity, learningRate: 0,
        gradientNorm: .nan,
        tokensPerSecond: 1))
    try curve.writeCSV(to: folder["curve.csv"])
    let row = try #require(LossCurve(csvPath: folder["curve.csv"]).rows.first)
    #expect(row.trainingLoss.isNaN && row.gradientNorm.isNaN && row.validationLoss == -.infinity)
    #expect(curve.json.contains("\"training_loss\": \"NaN\", \"validation_loss\": \"-Infinity\""))
  }

  @Test("The JSON is an array of objects with the same keys")
  func json() throws {
    try curve.writeJSON(to: folder["curve.json"])
    let data = try Data(contentsOf: URL(fileURLWithPath: folder["curve.json"]))
    let rows = try #require(JSONSerialization.jsonObject(with: data) as? [[String: Any]])
    #expect(rows.count == 2)
    #expect(rows[0]["validation_loss"] as? Double == 1.0 / 3)
    #expect(rows[1]["validation_loss"] is NSNull)
    #expect(rows[1]["gradient_norm"] as? String == "Infinity")
    #expect(Set(rows[0].keys) == Set(LossCurve.keys))
    #expect(LossCurve().json == "[]\n")
  }

  @Test("A resumed run drops the rows it will measure again")
  func resume() {
    var curve = curve
    curve.removeRows(from: 10)
    #expect(curve.rows.map(\.step) == [0])
  }

  @Test("A file that is no curve is refused at its first bad line")
  func failures() throws {
    let heading = LossCurve.keys.joined(separator: ",") + "\n"
    let path = folder["curve.csv"]
    func malformed(_ line: Int, _ reason: String) -> LossCurveError {
      .malformed(path: path, line: line, reason: reason)
    }
    #expect(try error("step\n") == malformed(1, "is not the heading of a loss curve"))
    #expect(try error(heading + "0,1,,1,1,1") == malformed(2, "does not end"))
    #expect(try error(heading + "0,1,1\n") == malformed(2, "has 3 fields, not 6"))
    #expect(
      try error(heading + "0,1,,1,1,1\n1,x,,1,1,1\n")
        == malformed(3, "has a field that is no number"))
    #expect(
      try error(heading + "1,1,,1,1,1\n1,1,,1,1,1\n")
        == malformed(3, "is not in the order of steps"))
    let binary = try folder.write([0xff, 0xfe], as: "binary")
    #expect(throws: LossCurveError.notUTF8(path: binary)) { try LossCurve(csvPath: binary) }
    let none = folder["none"]
    #expect(throws: LossCurveError.file(.missing(path: none))) { try LossCurve(csvPath: none) }
  }
}
