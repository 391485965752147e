import BlockFormats
import FormatTestSupport
import Testing

@Suite("Released bits of formats")
struct ReleasedFormatTests {
  /// Shapes with tails in every block length, and the axes that blocks run along.
  private static let geometries: [(shape: [Int], axis: Int)] = [
    ([3, 161], -1), ([161, 3], 0), ([2, 19, 21], 1),
  ]

  @Test("Planes, decoded values and counts of every format and policy are those on record")
  func formats() throws {
    var lines: [(name: String, digests: [Digest])] = []
    for format in FormatCatalog.all {
      let rounds = ReleasedBits.isComplete ? ReleasedPolicies.scaleRules(format).count : 1
      let digests = (0..<rounds).map { digest(format, ReleasedPolicies.some(format, round: $0)) }
      lines.append((format.id, digests))
    }
    let differences = try ReleasedBits("formats").differences(from: lines)
    #expect(differences.isEmpty, "\(differences.joined(separator: "\n"))")
  }

  @Test("So are those of every choice that came later")
  func laterChoices() throws {
    let lines = FormatCatalog.all.map { format in
      (name: format.id, digests: [digest(format, ReleasedPolicies.withLater(format))])
    }
    let differences = try ReleasedBits("later-choices").differences(from: lines)
    #expect(differences.isEmpty, "\(differences.joined(separator: "\n"))")
  }

  /// The digest of what a format makes of every input under some policies.
  private func digest(_ format: some BlockFormat, _ policies: [EncodingPolicy]) -> Digest {
    var digest = Digest()
    for policy in policies {
      for (shape, axis) in Self.geometries {
        for input in ReleasedInput.allCases {
          let tensor = Tensor(input.values(shape.reduce(1, *)), shape: shape)
          let quantized = tensor.quantized(
            to: format, axis: axis, policy: policy, parallelism: .threads(1))
          digest.feed(quantized.storedBytes)
          digest.feed([quantized.tensorScale ?? 0])
          digest.feed(quantized.tally.saturatedCount)
          digest.feed(quantized.dequantized(parallelism: .threads(1)).elements)
        }
      }
    }
    return digest
  }
}
