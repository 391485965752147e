import BlockFormats

/// Measures everything a plan names.
struct SpeedRun {
  let plan: SpeedPlan
  let sizes: PlacementSizes
  let clock: RepeatClock

  /// One measurement and what it is of.
  struct Row {
    var format: any BlockFormat
    var variant: SpeedVariant
    var placement: SpeedPlacement
    var direction: SpeedDirection
    var threads: Int
    var measurement: SpeedMeasurement
  }

  /// The rows: formats, in these variants, placements, directions, threads.
  ///
  /// - Parameter progress: called before each measurement with its number and subject.
  func rows(progress: (Int, String) -> Void = { _, _ in }) -> [Row] {
    let buffers = SpeedBuffers(seed: plan.seed)
    var rows: [Row] = []
    for format in plan.formats {
      for variant in plan.variants {
        for placement in plan.placements {
          var subjects: [[Int]: SpeedSubject] = [:]
          for direction in plan.directions {
            for threads in plan.threadCounts {
              progress(rows.count + 1, "\(format.id) \(direction.rawValue) \(placement.rawValue)")
              let shape = sizes.shape(placement, threads: threads, input: variant.input)
              let subject =
                subjects[shape]
                ?? SpeedSubject(
                  format: format, variant: variant, shape: shape, seed: plan.seed, buffers: buffers)
              subjects[shape] = subject
              let measurement = subject.measure(
                direction, threads: threads, preparation: placement == .l2 ? .call : .nothing,
                clock: clock, buffers: buffers)
              rows.append(
                Row(
                  format: format, variant: variant, placement: placement, direction: direction,
                  threads: threads, measurement: measurement))
            }
          }
        }
      }
    }
    return rows
  }
}
