/// What a caller says about a file before its format is known.
package struct TensorFileOptions: Sendable {
  /// The element types that the caller has a use for.
  let elements: ElementSelection
  /// What void elements of NumPy arrays are.
  let voids: VoidTypes
}
