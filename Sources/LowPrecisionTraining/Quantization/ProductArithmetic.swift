public import TrainingRecipes

/// How products of quantized operands are computed.
///
/// Both ways see the same codes: the same rounding, random bits, rotations and scales. They differ
/// in the order and number of FP32 roundings alone.
public enum ProductArithmetic: String, NamedChoice {
  /// Codes are multiplied, group by group, and scaled afterwards: the arithmetic that
  /// `ProductDefinition` defines, which is that of hardware for narrow formats.
  case packed
  /// Every operand is decoded to FP32 first and the product is one of FP32 numbers: fake
  /// quantization, as emulators do it element by element.
  case dequantized
}
