internal import StrictJSON
internal import TensorFiles

/// What the JSON files beside the tensors of a model say about its quantization.
///
/// They are attacker data: bounded in size and depth, and every member may be of any kind.
struct ModelConfiguration: Sendable {
  /// `config.json`; nil where there is none.
  let config: JSONValue?
  /// `hf_quant_config.json`, as ModelOpt writes it; nil where there is none.
  let modelOpt: JSONValue?

  /// The most bytes that a configuration may have.
  static let byteLimit = 16 << 20
  /// The most containers that are open at once in one.
  static let depthLimit = 64

  /// No configuration.
  static let absent = ModelConfiguration(config: nil, modelOpt: nil)

  private init(config: JSONValue?, modelOpt: JSONValue?) {
    self.config = config
    self.modelOpt = modelOpt
  }

  /// Reads the files of a folder that are there.
  init(folder: Folder) throws(ModelCheckpointError) {
    config = try Self.read("config.json", in: folder)
    modelOpt = try Self.read("hf_quant_config.json", in: folder)
  }

  private static func read(
    _ name: String, in folder: Folder
  ) throws(ModelCheckpointError) -> JSONValue? {
    guard folder.holdsFile(name) else { return nil }
    return try json(at: folder.path(of: name), limit: byteLimit)
  }

  /// The JSON of a file.
  static func json(at path: String, limit: Int) throws(ModelCheckpointError) -> JSONValue {
    let bytes = try ModelCheckpointError.ofFiles { () throws(TensorFileError) -> [UInt8]? in
      let file = try InputFile(path: path)
      return file.count <= limit ? try file.bytes() : nil
    }
    guard let bytes else {
      throw .configuration(path: path, reason: "more than \(limit) bytes")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .configuration(path: path, reason: "not UTF-8")
    }
    do throws(JSONError) {
      return try JSONValue(reading: text, depthLimit: depthLimit)
    } catch {
      throw .configuration(
        path: path, reason: "not JSON: \(error.fault) at byte \(error.range.lowerBound)")
    }
  }

  /// The quantization that `config.json` describes: `quantization_config`, or MLX's `quantization`.
  var quantization: JSONValue? { config?["quantization_config"] ?? config?["quantization"] }

  /// Who quantized the model, as `quant_method` says it.
  var method: String? { config?["quantization_config"]?["quant_method"]?.text }
}

extension JSONValue {
  /// The value of an object's key; nil where there is none, or no object.
  subscript(key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  /// The text of a string; nil for anything else.
  var text: String? {
    if case .string(let text) = self { text } else { nil }
  }

  /// The value of a whole number; nil for anything else.
  var integer: Int? {
    if case .number(let text) = self { Int(text) } else { nil }
  }

  /// The value of a number; nil for anything else.
  var double: Double? {
    if case .number(let text) = self { Double(text) } else { nil }
  }

  /// The value of a truth value; nil for anything else.
  var truth: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  /// The elements of an array; nil for anything else.
  var elements: [JSONValue]? {
    if case .array(let elements) = self { elements } else { nil }
  }

  /// The members of an object; nil for anything else.
  var members: [Member]? {
    if case .object(let members) = self { members } else { nil }
  }
}
