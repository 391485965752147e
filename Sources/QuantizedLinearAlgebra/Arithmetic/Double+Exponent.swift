extension Double {
  /// floor(log2 |x|) of a normal number, from its bits.
  var binaryExponent: Int { Int(bitPattern >> 52 & 0x7FF) - 1023 }
}
