/// What an option means only together with another option or argument, or only without it.
///
/// Nothing that a user asks for is ignored: a command declares such pairs, and the parser refuses
/// command lines that break one.
package struct OptionRule: Sendable {
  /// How the option depends on the other.
  enum Relation: Sendable {
    /// It means something only where the other is given.
    case needs
    /// It means nothing where the other is given.
    case excludes
  }

  /// The option, as it is written.
  let option: OptionSpecification
  let relation: Relation
  /// The name of the other among those that the command declares.
  let otherName: String
  /// The other as it is written.
  let otherSpelling: String

  /// The option means something only where the other is given.
  package static func needs(
    _ option: some OptionDeclaration, _ other: some OptionDeclaration
  ) -> OptionRule {
    OptionRule(option, .needs, other)
  }

  /// The option means something only where the argument is given.
  package static func needs(
    _ option: some OptionDeclaration, _ other: some ArgumentDeclaration
  ) -> OptionRule {
    OptionRule(option, .needs, other)
  }

  /// The two options exclude each other.
  package static func excludes(
    _ option: some OptionDeclaration, _ other: some OptionDeclaration
  ) -> OptionRule {
    OptionRule(option, .excludes, other)
  }

  /// The option means nothing where the argument is given.
  package static func excludes(
    _ option: some OptionDeclaration, _ other: some ArgumentDeclaration
  ) -> OptionRule {
    OptionRule(option, .excludes, other)
  }

  private init(
    _ option: some OptionDeclaration, _ relation: Relation, _ other: some OptionDeclaration
  ) {
    self.option = option.specification
    self.relation = relation
    (otherName, otherSpelling) = (other.specification.name, other.specification.spelling)
  }

  private init(
    _ option: some OptionDeclaration, _ relation: Relation, _ other: some ArgumentDeclaration
  ) {
    self.option = option.specification
    self.relation = relation
    (otherName, otherSpelling) = (other.specification.name, other.specification.name)
  }

  /// Refuses names that break the rule.
  ///
  /// - Parameter given: tells of an option's or argument's name whether it is given.
  func check(_ given: (String) -> Bool) throws(CommandError) {
    guard given(option.name) else { return }
    switch relation {
    case .needs:
      guard given(otherName) else { throw .usage("\(option.spelling) needs \(otherSpelling)") }
    case .excludes:
      guard !given(otherName) else {
        throw .usage("\(option.spelling) and \(otherSpelling) exclude each other")
      }
    }
  }
}
