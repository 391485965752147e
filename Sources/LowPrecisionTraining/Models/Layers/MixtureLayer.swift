import CallerChecks
import TrainingRecipes

/// The extents and choices of a mixture of experts.
///
/// Letters: C channels of the model, E experts, K experts of a token.
public struct MixtureDesign: Hashable, Sendable {
  /// E.
  public var expertCount: Int
  /// K.
  public var chosenCount: Int
  /// Channels inside an expert.
  public var hiddenCount: Int
  /// Channels inside the expert that every token goes to; 0 for none.
  public var sharedHiddenCount: Int
  /// The channels that routed experts read and write (LatentMoE); `nil` for those of the model.
  ///
  /// With C / latentCount times as many experts, and as many times more of them for a token, the cost
  /// of a token is the same.
  public var latentCount: Int?
  /// What training minimises of the load-balance loss, beside its own loss; α of Switch Transformers.
  public var balanceCoefficient: Float
  /// The function inside experts.
  public var nonlinearity: Nonlinearity

  /// Creates a design.
  public init(
    expertCount: Int, chosenCount: Int, hiddenCount: Int, sharedHiddenCount: Int = 0,
    latentCount: Int? = nil, balanceCoefficient: Float = 0.01,
    nonlinearity: Nonlinearity = .squaredReLU
  ) {
    self.expertCount = expertCount
    self.chosenCount = chosenCount
    self.hiddenCount = hiddenCount
    self.sharedHiddenCount = sharedHiddenCount
    self.latentCount = latentCount
    self.balanceCoefficient = balanceCoefficient
    self.nonlinearity = nonlinearity
  }
}

/// A router, experts for the tokens that it sends them, and an expert for all.
///
/// y = U Σ_{e ∈ S} g_e expert_e(D x) + shared(x). The router and the shared expert work on all C
/// channels; D and U lead into the latent channels and out of them, and are absent without.
///
/// Sources: Fedus et al., "Switch Transformers", arXiv 2101.03961; LatentMoE of "NVIDIA Nemotron 3",
/// arXiv 2512.20856.
final class MixtureLayer: SequenceLayer {
  private let router: Linear
  private let latentDown: Linear?
  private let experts: [Expert]
  private let latentUp: Linear?
  private let shared: Expert?
  private let design: MixtureDesign
  /// The load-balance loss of the last batch, without its coefficient: 1 where loads are even.
  private(set) var balance: Float = .nan
  /// The tokens of the last batch that went to each expert.
  private(set) var loads: [Int] = []

  /// - Precondition: positive extents, K in 1...E, and a finite balance coefficient.
  init(_ design: MixtureDesign, _ slot: LayerSlot, _ start: inout Initializer) {
    let d = design
    require(
      d.chosenCount >= 1 && d.chosenCount <= d.expertCount && d.hiddenCount > 0
        && d.sharedHiddenCount >= 0 && d.latentCount ?? 1 > 0,
      """
      \(d.chosenCount) of \(d.expertCount) experts of \(d.hiddenCount) channels, \
      \(d.sharedHiddenCount) shared, \(d.latentCount ?? slot.width) latent
      """)
    require(
      d.balanceCoefficient.isFinite,
      "a mixture of experts with a balance coefficient of \(d.balanceCoefficient)")
    self.design = design
    let (c, l) = (slot.width, d.latentCount ?? slot.width)
    let (usual, small) = (LayerSlot.deviation, slot.residualDeviation)
    func latent(_ part: String, _ shape: [Int], _ deviation: Float) -> Linear? {
      d.latentCount.map { _ in
        start.linear(
          slot.place(.latentProjection, "mixture.latent.\(part)"), shape, deviation: deviation)
      }
    }
    router = start.linear(
      slot.place(.router, "mixture.router"), [d.expertCount, c], deviation: usual)
    latentDown = latent("down", [l, c], usual)
    experts = (0..<d.expertCount).map { index in
      Expert(
        "mixture.experts.\(index)", width: l, hidden: d.hiddenCount, d.nonlinearity,
        lastDeviation: d.latentCount == nil ? small : usual, slot, &start)
    }
    latentUp = latent("up", [c, l], small)
    shared =
      d.sharedHiddenCount == 0
      ? nil
      : Expert(
        "mixture.shared", width: c, hidden: d.sharedHiddenCount, d.nonlinearity,
        lastDeviation: small, slot, &start)
  }

  private var linearLayers: [Linear] {
    [router] + [latentDown].compactMap { $0 } + experts.flatMap(\.linearLayers)
      + [latentUp].compactMap { $0 } + (shared?.linearLayers ?? [])
  }

  var parameters: [Parameter] { linearLayers.flatMap(\.parameters) }
  var quantizations: [LayerQuantization] { linearLayers.map(\.quantization) }

  func callAsFunction(_ x: Activation, on tape: Tape) -> Activation {
    let routing = tape.route(router(x, on: tape), choosing: design.chosenCount)
    let loss = tape.balanceLoss(of: routing)
    tape.minimise(loss, weight: design.balanceCoefficient)
    (balance, loads) = (loss.values[0], routing.loads)

    let rows = latentDown.map { $0(x, on: tape) } ?? x
    let outputs = experts.enumerated().map { index, expert in
      tape.gather(rows, for: index, routing).map { expert($0, on: tape) }
    }
    let sum = tape.combine(outputs, routing)
    let y = latentUp.map { $0(sum, on: tape) } ?? sum
    return shared.map { tape.sum(y, $0(x, on: tape)) } ?? y
  }
}

/// Two projections with a function in between.
private struct Expert {
  let up: Linear
  let down: Linear
  let nonlinearity: Nonlinearity

  init(
    _ part: String, width: Int, hidden: Int, _ nonlinearity: Nonlinearity, lastDeviation: Float,
    _ slot: LayerSlot, _ start: inout Initializer
  ) {
    up = start.linear(
      slot.place(.expertUp, "\(part).up"), [hidden, width], deviation: LayerSlot.deviation)
    down = start.linear(
      slot.place(.expertDown, "\(part).down"), [width, hidden], deviation: lastDeviation)
    self.nonlinearity = nonlinearity
  }

  var linearLayers: [Linear] { [up, down] }

  func callAsFunction(_ x: Activation, on tape: Tape) -> Activation {
    down(tape.apply(nonlinearity, to: up(x, on: tape)), on: tape)
  }
}
