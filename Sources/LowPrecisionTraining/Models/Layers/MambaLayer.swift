internal import CTrainingKernels
import CallerChecks
import TrainingRecipes

/// The extents of a Mamba layer.
public struct MambaDesign: Hashable, Sendable {
  /// Channels of the scan; `nil` for twice the width.
  public var innerCount: Int?
  /// States of a channel.
  public var stateCount: Int
  /// The rank of the projection to step sizes; `nil` for a sixteenth of the width, rounded up.
  public var rank: Int?

  /// Creates a design; what is left out is as in the publication.
  public init(innerCount: Int? = nil, stateCount: Int = 16, rank: Int? = nil) {
    self.innerCount = innerCount
    self.stateCount = stateCount
    self.rank = rank
  }
}

/// A Mamba block: a selective scan of convolved channels, gated, between two projections.
///
/// Letters: C channels of the stream, D channels of the scan, N states, R the rank of step sizes.
///
///     x, z = W_in · s                  D numbers each
///     u = silu(convolution(x))
///     r, B, C = W_x · u                R, N and N numbers
///     Δ = softplus(W_Δ · r + b_Δ)
///     y = scan(u, Δ, A, B, C, D)
///     result = W_out · (y · silu(z))
///
/// Sources: Gu and Dao, "Mamba", arXiv 2312.00752; `mamba_simple.py` of the authors' code, which
/// initial values follow too.
final class MambaLayer: SequenceLayer {
  private let input: Linear
  private let taps: Parameter
  private let tapBias: Parameter
  private let scanProjection: Linear
  private let stepProjection: Linear
  private let stepBias: Parameter
  private let logDecay: Parameter
  private let skip: Parameter
  private let scan: LayerQuantization
  private let output: Linear
  private let columns: (scan: [Int], maps: [Int])

  /// - Precondition: positive extents.
  init(_ design: MambaDesign, _ slot: LayerSlot, _ start: inout Initializer) {
    let (c, n) = (slot.width, design.stateCount)
    let (d, r) = (design.innerCount ?? 2 * c, design.rank ?? (c + 15) / 16)
    require(d > 0 && n > 0 && r > 0, "a scan of \(d) channels with \(n) states and rank \(r)")
    columns = ([d, d], [r, n, n])
    let name = "\(slot.name).mamba"
    // Numbers up to the root of what a sum has of them.
    func deviation(_ inputs: Int) -> Float { 1 / Float(3 * inputs).squareRoot() }
    input = start.linear(
      slot.place(.mambaIn, "mamba.in"), [2 * d, c], deviation: deviation(c))
    taps = start.uniform("\(name).conv.weight", [4, d], deviation: deviation(4))
    tapBias = start.uniform("\(name).conv.bias", [d], deviation: deviation(4), isDecayed: false)
    scanProjection = start.linear(
      slot.place(.mambaX, "mamba.x"), [r + 2 * n, d], deviation: deviation(d))
    stepProjection = start.linear(
      slot.place(.mambaDt, "mamba.dt"), [d, r], deviation: deviation(r))
    stepBias = start.uniform(
      "\(name).dt.bias", [d], deviation: 1 / Float(3).squareRoot(), isDecayed: false)
    stepBias.replace(with: StepSizes.biases(at: stepBias.array))
    logDecay = start.constant("\(name).a_log", [d, n], 0)
    let logarithms = TrainingKernels.best.apply(BK_LOG, to: (1...n).map(Float.init))
    logDecay.replace(with: (0..<d * n).map { logarithms[$0 % n] })
    skip = start.constant("\(name).d", [d], 1)
    scan = start.quantization(slot.place(.mambaScan, "mamba.scan"))
    output = start.linear(
      slot.place(.mambaOut, "mamba.out"), [c, d],
      deviation: deviation(d) * (slot.residualDeviation / LayerSlot.deviation))
  }

  var parameters: [Parameter] {
    input.parameters + [taps, tapBias] + scanProjection.parameters + stepProjection.parameters
      + [stepBias, logDecay, skip] + output.parameters
  }

  var quantizations: [LayerQuantization] {
    [
      input.quantization, scanProjection.quantization, stepProjection.quantization, scan,
      output.quantization,
    ]
  }

  func callAsFunction(_ x: Activation, on tape: Tape) -> Activation {
    let halves = tape.split(input(x, on: tape), columns: columns.scan)
    let u = tape.apply(
      .silu, to: tape.causalConvolution(halves[0], weight: taps, bias: tapBias))
    let maps = tape.split(scanProjection(u, on: tape), columns: columns.maps)
    let dt = tape.softplus(stepProjection(maps[0], on: tape), bias: stepBias)
    let y = tape.selectiveScan(
      u: tape.narrowed(u, .u, scan), dt: tape.narrowed(dt, .dt, scan), a: logDecay,
      b: tape.narrowed(maps[1], .b, scan), c: tape.narrowed(maps[2], .c, scan), d: skip,
      narrowState: tape.stateNarrowing(scan))
    return output(tape.gated(y, by: halves[1]), on: tape)
  }
}
