import CommandLineToolkit

/// All commands of the tool; a new command adds its line here.
enum CommandList {
  /// In the order of the help.
  static let all: [any Command.Type] = [
    CompareCommand.self,
    SpeedCommand.self,
    GemmCommand.self,
    TrainCommand.self,
    EvalCommand.self,
    RecipeCommand.self,
    InspectCommand.self,
    VerifyCommand.self,
    QuantizeCommand.self,
    DequantizeCommand.self,
    ConvertCommand.self,
    PlanCommand.self,
    EncodeCommand.self,
    DecodeCommand.self,
    ListCommand.self,
    ShowCommand.self,
    ExplainCommand.self,
    DocumentCommand.self,
    VersionCommand.self,
  ]

  /// The command lines the help of the tool begins with.
  static let gettingStarted: [CommandDeclaration.Example] = [
    .init(line: "compare", purpose: "the standard formats on built-in samples"),
    .init(line: "compare model.safetensors", purpose: "the same on a checkpoint"),
    .init(line: "show nvfp4", purpose: "what a format is, to the last bit"),
    .init(line: "explain mxfp8_e4m3 957 0.1", purpose: "why values become what they become"),
  ]
}
