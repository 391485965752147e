internal import CTrainingKernels
import CallerChecks
import TrainingRecipes

/// The extents of a Mamba-2 layer.
///
/// Letters: C channels of the residual stream, H heads of P channels, H P inside the layer, G groups
/// of heads that share maps, N numbers of a channel's state.
public struct Mamba2Design: Hashable, Sendable {
  /// H P; `nil` for 2 C.
  public var innerCount: Int?
  /// P, a divisor of H P; `nil` for 64 as published, or less where there were fewer than eight heads:
  /// the largest divisor up to there.
  public var headSize: Int?
  /// N.
  public var stateCount: Int
  /// G, a divisor of H.
  public var groupCount: Int

  /// Creates a design; the published models have larger states, of 128 numbers.
  public init(
    innerCount: Int? = nil, headSize: Int? = nil, stateCount: Int = 64, groupCount: Int = 1
  ) {
    self.innerCount = innerCount
    self.headSize = headSize
    self.stateCount = stateCount
    self.groupCount = groupCount
  }
}

/// A Mamba-2 block: a scan of convolved channels, gated and normed, between two projections.
///
///     z, xBC, δ = W_in · s
///     x, B, C = silu(convolution(xBC))
///     Δ = softplus(δ + b_Δ)
///     y = scan(x, Δ, A, B, C, D)
///     result = W_out · norm(y · silu(z))
///
/// Source: Dao and Gu, arXiv 2405.21060, section 7; `mamba2.py` of their code.
final class Mamba2Layer: SequenceLayer {
  private let input: Linear
  private let taps: Parameter
  private let tapBias: Parameter
  private let stepBias: Parameter
  private let logDecay: Parameter
  private let skip: Parameter
  private let scan: LayerQuantization
  private let norm: Parameter
  private let output: Linear
  private let heads: StateSpaceHeads
  private let columns: (projected: [Int], mixed: [Int])

  private static func usualHeadSize(_ inner: Int) -> Int {
    (1...max(1, min(64, inner / 8))).last { inner % $0 == 0 } ?? 1
  }

  /// Initial values are those of the code: D and gains 1, the others uniform, A in (1, 16), Δ in its
  /// logarithm in (0.001, 0.1) where its projection is 0.
  ///
  /// - Precondition: heads that divide the channels inside, and groups that divide heads.
  init(_ design: Mamba2Design, _ slot: LayerSlot, _ start: inout Initializer) {
    let inner = design.innerCount ?? 2 * slot.width
    let size = design.headSize ?? Self.usualHeadSize(inner)
    require(
      inner > 0 && size > 0 && inner % size == 0, "\(inner) channels in heads of \(size)")
    heads = StateSpaceHeads(
      count: inner / size, size: size, groupCount: design.groupCount,
      stateCount: design.stateCount)
    let (mixed, h) = (inner + 2 * heads.mapCount, heads.count)
    columns = ([inner, mixed, h], [inner, heads.mapCount, heads.mapCount])
    let name = "\(slot.name).mamba2"
    // Numbers up to the root of what a sum has of them.
    func deviation(_ inputs: Int) -> Float { 1 / Float(3 * inputs).squareRoot() }
    input = start.linear(
      slot.place(.mambaIn, "mamba2.in"), [inner + mixed + h, slot.width],
      deviation: deviation(slot.width))
    let reach = deviation(Int(BK_TAPS))
    taps = start.uniform("\(name).conv.weight", [Int(BK_TAPS), mixed], deviation: reach)
    tapBias = start.uniform("\(name).conv.bias", [mixed], deviation: reach, isDecayed: false)
    stepBias = start.uniform("\(name).dt.bias", [h], deviation: deviation(1), isDecayed: false)
    stepBias.replace(with: StepSizes.biases(at: stepBias.array))
    logDecay = start.uniform("\(name).a_log", [h], deviation: deviation(1), isDecayed: false)
    logDecay.replace(
      with: TrainingKernels.best.apply(BK_LOG, to: logDecay.array.map { 8.5 + 7.5 * $0 }))
    skip = start.constant("\(name).d", [h], 1)
    scan = start.quantization(slot.place(.mambaScan, "mamba2.scan"))
    norm = start.constant("\(name).gated_norm.weight", [inner], 1)
    output = start.linear(
      slot.place(.mambaOut, "mamba2.out"), [slot.width, inner],
      deviation: deviation(inner) * (slot.residualDeviation / LayerSlot.deviation))
  }

  var parameters: [Parameter] {
    input.parameters + [taps, tapBias, stepBias, logDecay, skip, norm] + output.parameters
  }
  var quantizations: [LayerQuantization] { [input.quantization, scan, output.quantization] }

  func callAsFunction(_ x: Activation, on tape: Tape) -> Activation {
    let parts = tape.split(input(x, on: tape), columns: columns.projected)
    let mixed = tape.apply(
      .silu, to: tape.causalConvolution(parts[1], weight: taps, bias: tapBias))
    let operands = tape.split(mixed, columns: columns.mixed)
    let y = tape.stateSpaceDual(
      x: tape.narrowed(operands[0], .u, scan),
      dt: tape.narrowed(tape.softplus(parts[2], bias: stepBias), .dt, scan), a: logDecay,
      b: tape.narrowed(operands[1], .b, scan), c: tape.narrowed(operands[2], .c, scan),
      d: skip, heads: heads, narrowState: tape.stateNarrowing(scan))
    return output(
      tape.gatedRMSNorm(y, by: parts[0], weight: norm, groupCount: heads.groupCount), on: tape)
  }
}
