import CommandLineToolkit

extension Console {
  /// Notes that input of float64 is not taken as it is.
  ///
  /// - Parameter input: What is, such as a path.
  func warn(aboutRoundingOf input: String) {
    warn("\(input): float64 is rounded once to FP32, to nearest, and infinite beyond its range")
  }
}
