import BlockFormats
import CommandLineToolkit

/// What a measured call does.
enum SpeedDirection: String, CaseIterable, Sendable {
  case encode
  case decode
  case fakeQuantize = "fake_quantize"
}

/// Where the bytes of a measured call lie when it begins.
enum SpeedPlacement: String, CaseIterable, Sendable {
  /// In the second-level cache of the core that needs them.
  case l2
  /// In memory: the call moves far more than the caches hold.
  case dram
}

/// The choices beside format, direction and placement that a row may vary.
struct SpeedVariant: Sendable {
  var rounding = RoundingChoice.deterministic(.toNearestOrEven)
  /// The axis of a matrix that blocks run along.
  var axis = -1
  var kernels = KernelSelection.best
  /// The number type of the floats on either side.
  var input = ScalarType.float32
}

/// The choices of `SpeedVariant` that a command line may name; a row tells those it does.
enum SpeedVariantKey: String, CaseIterable, Sendable {
  case rounding
  case axis
  case level
  case input

  /// What a variant chose.
  func cell(of variant: SpeedVariant) -> Cell {
    switch self {
    case .rounding: .text(variant.rounding.id)
    case .axis: .integer(variant.axis)
    case .level: .text(variant.kernels.id)
    case .input: .text(variant.input.id)
    }
  }
}

/// All that is measured in a run: every combination of these.
struct SpeedPlan: Sendable {
  var formats: [any BlockFormat]
  var variants: [SpeedVariant]
  /// The choices that rows tell.
  var variantKeys: [SpeedVariantKey] = []
  var placements = SpeedPlacement.allCases
  var directions = SpeedDirection.allCases
  /// Numbers of threads, each at least 1.
  var threadCounts: [Int]
  /// The seed of data and of stochastic rounding.
  var seed: UInt64 = 0

  /// The number of rows.
  var rowCount: Int {
    formats.count * variants.count * placements.count * directions.count * threadCounts.count
  }
}
