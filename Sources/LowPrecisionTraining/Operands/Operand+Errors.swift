import BlockFormats
import FormatMetrics
import QuantizedLinearAlgebra
import TrainingRecipes

extension Operand {
  /// Notes the errors of the operand, if the step is measured.
  func measure(
    _ tensor: TensorRole, _ product: ProductRole, _ place: LayerPlace, on tape: Tape
  ) {
    guard tape.quantization.errors != nil, case .quantized(let format) = format else { return }
    let count = rows.rowCount * rows.columnCount
    tape.memory.temporarily {
      let (original, result) = (tape.memory.floats(count), tape.memory.floats(count))
      copyRows(to: original)
      let tally = decode(format, original, into: result, on: tape)
      var errors = ErrorStatistics(
        original: UnsafeBufferPointer(start: original, count: count),
        reconstruction: UnsafeBufferPointer(start: result, count: count),
        parallelism: tape.execution.parallelism)
      errors.saturatedCount = tally.saturatedCount
      let row = OperandErrors.Row(
        step: tape.quantization.draws.step, layer: place.name, tensor: tensor, product: product,
        format: format.id, errors: errors)
      tape.quantization.errors?.append(row)
    }
  }
}
