extension Int {
  /// The number with one more decimal digit at its end, or nil if it does not fit.
  ///
  /// - Parameter digit: From 0 to 9.
  package func appendingDigit(_ digit: Int) -> Int? {
    let (shifted, shiftOverflow) = multipliedReportingOverflow(by: 10)
    let (sum, sumOverflow) = shifted.addingReportingOverflow(digit)
    return shiftOverflow || sumOverflow ? nil : sum
  }
}
