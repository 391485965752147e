/// All commands of the tool; a new command adds its line here.
enum CommandList {
  /// In the order of the help.
  static let all: [any Command.Type] = [
    CompareCommand.self,
    EncodeCommand.self,
    DecodeCommand.self,
    ListCommand.self,
    VersionCommand.self,
  ]

  /// The command lines the help of the tool begins with.
  static let gettingStarted: [CommandDeclaration.Example] = []
}
