import BlockFormats
import CommandLineToolkit

/// The options of policies that several commands share.
enum PolicyOptions {
  /// One option for each choice of a policy besides scale rule and rounding, whose options differ from
  /// command to command.
  static let choices = PolicyAspect.allCases.filter { ![.scaleRule, .rounding].contains($0) }
    .map(PolicyOption.init)
  static let seed = Option.defaulted(
    "seed", .integer(in: 0...Int.max), default: "0", help: "the seed of random numbers")
  static let axis = Option.defaulted(
    "axis", .integer(in: Int.min...Int.max), default: "-1",
    help: "the axis that blocks run along, negative from the end")
  static let threads = Option.optional(
    "threads", .integer(in: 1...1024),
    help: "how many threads may work; all cores by default; never changes a result")

  /// The options of `choices`.
  static var all: [any OptionDeclaration] { choices.map(\.option) }

  /// A format's default policy with what the command line states and the format can follow.
  static func policy(
    of format: any BlockFormat, _ arguments: ParsedArguments
  ) -> EncodingPolicy {
    var policy = format.defaultPolicy
    for choice in choices where format.follows(choice.aspect) {
      guard let id = arguments[choice.option] else { continue }
      _ = choice.aspect.choose(id, in: &policy, scaleRules: [])
    }
    return policy
  }

  /// Refuses options that none of the formats can follow.
  static func checkUse(
    _ arguments: ParsedArguments, by formats: [any BlockFormat]
  ) throws(CommandError) {
    for choice in choices where arguments[choice.option] != nil {
      guard formats.contains(where: { $0.follows(choice.aspect) }) else {
        let names = formats.count == 1 ? formats[0].id : "every format compared"
        throw .usage(
          "\(choice.spelling): \(choice.aspect.purpose) is a part of \(names), and no choice")
      }
    }
  }

  /// Refuses a seed that nothing draws from.
  static func checkSeed(_ arguments: ParsedArguments, isUsed: Bool) throws(CommandError) {
    guard isUsed || !arguments.isGiven(seed) else {
      throw .usage("--seed: nothing is random without --rounding stochastic")
    }
  }

  /// The threads that may work.
  static func parallelism(_ arguments: ParsedArguments) -> Parallelism {
    arguments[threads].map(Parallelism.threads) ?? .allCores
  }
}

/// The option that makes one choice of a policy by the name of an alternative.
struct PolicyOption: Sendable {
  let aspect: PolicyAspect
  let option: Option<String?>

  /// The option's name with its dashes.
  var spelling: String { "--" + Self.name(of: aspect) }

  /// The option of a choice whose alternatives are the same for every format.
  init(_ aspect: PolicyAspect) {
    self.aspect = aspect
    let names = aspect.alternatives(scaleRules: []).map(\.id)
    option = .optional(
      Self.name(of: aspect),
      ValueKind(
        placeholder: "RULE", accepted: "one of " + names.joined(separator: ", "), choices: names
      ) { (text) throws(ValueFailure) in
        guard names.contains(text) else { throw .unknown(aspect.title, text, known: names) }
        return text
      },
      help: "\(aspect.purpose); each format has its own default")
  }

  private static func name(of aspect: PolicyAspect) -> String {
    aspect.key.replacing("_", with: "-")
  }
}
