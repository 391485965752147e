import CallerChecks

/// A named format, or a family of formats with parameters, as the catalog lists it.
///
/// The text form of a format is its name, or the name with parameters in parentheses:
/// `mxfp4`, `mxfp4(block=16)`, `bdr(m=5,k1=32,k2=4,d1=8,d2=2)`. Parameters may come in any order
/// and default where the family says so; parameter values may themselves be names with
/// parameters. Names are case-insensitive.
public struct FormatFamily: Sendable {
  /// The name before the parenthesis.
  public let name: String
  /// The parameters that the name takes in parentheses.
  public let parameters: [Parameter]
  /// Whether the format with default parameters takes part where none is named.
  public let role: Role

  let make: @Sendable (FormatArguments) throws(FormatNameError) -> any BlockFormat

  /// A parameter of a family.
  public typealias Parameter = FormatParameter

  /// Where a family shows up.
  public enum Role: Hashable, Sendable {
    /// In the default set of comparisons.
    case standard
    /// Listed, and used on request.
    case additional
    /// Needs parameters, so has no default format.
    case parametrised
  }

  /// Creates a family.
  ///
  /// - Parameters:
  ///   - name: the name before the parenthesis: lower-case, unique in its catalog.
  ///   - parameters: the parameters that the name takes in parentheses.
  ///   - role: where the family shows up.
  ///   - make: the format of some arguments, which name none but the parameters.
  public init(
    _ name: String, parameters: [Parameter] = [], role: Role = .additional,
    make: @escaping @Sendable (FormatArguments) throws(FormatNameError) -> any BlockFormat
  ) {
    self.name = name
    self.parameters = parameters
    self.role = role
    self.make = make
  }

  /// The format with default parameters; `nil` for a family that needs parameters.
  public var defaultFormat: (any BlockFormat)? {
    guard role != .parametrised else { return nil }
    do throws(FormatNameError) {
      return try make(FormatArguments(name: name, values: [:]))
    } catch {
      refuse("default of \(name): \(error)")
    }
  }
}
