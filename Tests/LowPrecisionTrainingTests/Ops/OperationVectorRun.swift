import BlockFormats
import FormatTestSupport
import Testing

@testable import LowPrecisionTraining

/// One case on a tape, with its inputs as activations or parameters.
final class OperationVectorRun {
  let tape = Tape(parallelism: .threads(2))
  let vectors: OperationVectors.Case
  private var activations: [String: Activation] = [:]
  private var parameters: [String: Parameter] = [:]

  init(_ vectors: OperationVectors.Case) { self.vectors = vectors }

  private func entry(_ name: String) throws -> OperationVectors.Entry {
    try #require(vectors.inputs[name], "\(vectors.name) has no input \(name)")
  }

  func activation(_ name: String) throws -> Activation {
    let entry = try entry(name)
    let made = tape.constant(entry.values.values, shape: entry.shape)
    activations[name] = made
    return made
  }

  func parameter(_ name: String) throws -> Parameter {
    let entry = try entry(name)
    let made = Parameter(
      name, shape: entry.shape, values: entry.values.values, isDecayed: true)
    parameters[name] = made
    return made
  }

  /// Goes back from a result, whose gradient is the input `dy` or else 1, and compares everything.
  func check(_ y: Activation) throws {
    let dy = vectors.inputs["dy"]?.values.values ?? [1]
    let gradient = y.accumulatedGradient()
    #expect(dy.count == y.count)
    for (index, value) in dy.enumerated() { gradient[index] = value }
    tape.backward(from: tape.constant([0], shape: [1]))
    var actual = ["y": y.array]
    for (name, input) in activations {
      let gradient: [Float] = try #require(input.gradientArray)
      actual["d" + name] = gradient
    }
    for (name, input) in parameters { actual["d" + name] = input.gradientArray }
    try expect(actual)
  }

  func expect(_ actual: [String: [Float]]) throws {
    #expect(actual.keys.sorted() == vectors.results.keys.sorted(), "\(vectors.name)")
    for (name, entry) in vectors.results {
      let numbers = try #require(actual[name])
      let bounds = try #require(entry.bounds).values
      #expect(numbers.count == entry.values.values.count, "\(vectors.name) \(name)")
      // A NaN is within no bound.
      let wrong = numbers.indices.filter {
        !(abs(Double(numbers[$0]) - Double(entry.values.values[$0])) <= Double(bounds[$0]))
      }
      #expect(wrong.isEmpty, "\(vectors.name) \(name)")
    }
  }

  /// Runs every case of a file.
  static func forCases(
    in file: String, where isWanted: (String) -> Bool = { _ in true },
    _ body: (OperationVectorRun) throws -> Activation
  ) throws {
    let vectors = try VectorFile.load(OperationVectors.self, from: "operations/\(file).json")
    let wanted = vectors.cases.filter { isWanted($0.name) }
    #expect(!wanted.isEmpty)
    for vectors in wanted {
      let run = OperationVectorRun(vectors)
      try run.check(body(run))
    }
  }
}
