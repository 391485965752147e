/// A producer's way of encoding a format: one of the library's with the choices that give the producer's
/// codes and scales.
///
/// Two files that say "MXFP4" may hold other bytes for the same values, since their producers choose scales,
/// round ties and sign zeros differently. A preset is what such a name leaves open, as a value:
///
/// ```swift
/// let preset = ProducerPreset.named("modelopt", "mxfp4")
/// ```
///
/// Presets tell of arithmetic alone: where bytes lie in a file is the file's business. They hold for FP32
/// values whose scales are in the normal range of their format; what differs at its ends stands in
/// FORMATS.md. compressed-tensors divides largest magnitudes in the type of the weights: of BF16 weights
/// a / 6 and the tensor scale are BF16 numbers, and about one block in a hundred has another scale.
public struct ProducerPreset: Sendable {
  /// The producer: a library, lower-case.
  public let producer: String
  /// The producer's name for what it writes, lower-case, unique with the producer.
  public let name: String
  /// The format, whose default policy holds the producer's choices.
  public let format: any BlockFormat

  /// Creates a preset.
  public init(_ producer: String, _ name: String, _ format: some BlockFormat) {
    self.producer = producer
    self.name = name
    self.format = format
  }

  /// The choices by which the preset differs from the built-in format of its id; none where there is no
  /// such format.
  public var choices: [(aspect: PolicyAspect, id: String)] {
    guard let plain = try? FormatCatalog.builtIn.format(id: format.id).defaultPolicy else {
      return []
    }
    return PolicyAspect.allCases.compactMap { aspect in
      let id = aspect.chosen(in: format.defaultPolicy).id
      return format.follows(aspect) && aspect.chosen(in: plain).id != id ? (aspect, id) : nil
    }
  }

  /// The preset of a producer and a name; `nil` where there is none.
  public static func named(_ producer: String, _ name: String) -> ProducerPreset? {
    all.first { $0.producer == producer && $0.name == name }
  }

  /// The producers whose bytes a format gives under a policy, each once.
  public static func producers(
    of format: any BlockFormat, under policy: EncodingPolicy
  ) -> [String] {
    var names: [String] = []
    for preset in all where preset.format.isSame(as: format) {
      let isEqual = PolicyAspect.allCases.filter(format.follows).allSatisfy {
        $0.chosen(in: preset.format.defaultPolicy) == $0.chosen(in: policy)
      }
      if isEqual && !names.contains(preset.producer) { names.append(preset.producer) }
    }
    return names
  }
}
