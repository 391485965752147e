import Foundation
import QuantizedCheckpoints
import TensorFiles
import UntrustedText

/// The tensors of checkpoints that are not what they seem: codes of quantized weights, and the
/// scales, zero points and tables that turn codes into values.
///
/// Scales are often floating-point tensors, whose errors under another format say nothing. They are
/// known by their names beside those of codes, as the producers of such files give them; a floating-
/// point tensor without codes beside it is data, unless it is called a scale of a weight that is not
/// there.
struct QuantizedTensors {
  /// What a tensor of a quantized file is.
  enum Role {
    /// Codes of weights.
    case codes
    /// What codes need besides themselves.
    case scale
  }

  private var roles: [ExactText: Role] = [:]

  /// Finds the tensors in question.
  ///
  /// - Parameter files: the parts of one model, as codes and their scales may lie in different ones.
  init(of files: [TensorFile]) {
    let dtypes = Dictionary(
      files.flatMap(\.tensors).map { (ExactText($0.name), $0.dtype) }, uniquingKeysWith: { $1 })
    // The state of a training run keeps the scales of its recipe beside the weights.
    let isTrainingState = dtypes[ExactText("counter.step")] != nil
    for name in dtypes.keys {
      if isTrainingState, name.text.hasPrefix("scaling.") { roles[name] = .scale }
      let scaled = ScaledNames(of: name.text)
      let codes = scaled.names.lazy.map(ExactText.init).first {
        dtypes[$0].map(Self.mayHoldCodes) ?? false
      }
      if let codes {
        roles[name] = .scale
        if roles[codes] == nil { roles[codes] = .codes }
      } else if let weight = scaled.weight, dtypes[ExactText(weight)] == nil {
        roles[name] = .scale
      }
    }
    for file in files where QuantizedTensorFile.isAuthor(of: file.metadata) {
      for tensor in file.tensors {
        let isCodes = ["codes", "packed"].contains(tensor.name)
        roles[ExactText(tensor.name)] = isCodes ? .codes : .scale
      }
    }
  }

  /// What a tensor is; nil for one that is data.
  func role(of tensor: TensorInfo) -> Role? { roles[ExactText(tensor.name)] }

  /// The method of quantization that `config.json` beside a file names, where codes in the file are
  /// not told from other integers: then scales may pass for data.
  func unknownMethod(in file: TensorFile) -> String? {
    let hasOthers = file.tensors.contains { Self.mayHoldCodes($0.dtype) && role(of: $0) == nil }
    return hasOthers ? Self.method(ofModelBeside: file.path) : nil
  }

  /// Whether a dtype can hold codes, alone or several in a number.
  private static func mayHoldCodes(_ dtype: TensorDType) -> Bool {
    switch dtype {
    case .bool, .f16, .bf16, .f32, .f64, .c64, .i64, .u64: false
    default: true
    }
  }

  /// The bytes of the largest `config.json` that is read; those of models are far smaller.
  private static let largestConfiguration = 16 << 20

  /// The method of quantization that `config.json` in the folder of a file names, if it does.
  private static func method(ofModelBeside path: String) -> String? {
    let config = URL(fileURLWithPath: path).deletingLastPathComponent()
      .appendingPathComponent("config.json").path
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: config),
      attributes[.type] as? FileAttributeType == .typeRegular,
      let size = attributes[.size] as? Int, size <= largestConfiguration,
      let data = FileManager.default.contents(atPath: config),
      let model = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
      let quantization = model["quantization_config"] as? [String: Any]
    else { return nil }
    return quantization["quant_method"] as? String ?? "unnamed"
  }
}

/// What the name of a tensor says about the codes that it might be a scale of.
private struct ScaledNames {
  /// The names that the codes may have; none for a name that is not one of a scale.
  private(set) var names: [String] = []
  /// The weight of which the name is a scale whatever else is there; nil for other names.
  private(set) var weight: String?

  init(of name: String) {
    var components = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    let last = components.removeLast()
    let module = components.map { $0 + "." }.joined()
    if Self.ofTensor.contains(last) {
      names = [components.joined(separator: ".")]
    } else if components.last == "quant_state" {
      names = [components.dropLast().joined(separator: ".")]
    } else if Self.ofModule.contains(last) {
      names = Self.codesOfModule.map { module + $0 }
    } else {
      for suffix in Self.suffixes where last.hasSuffix(suffix) {
        let stem = String(last.dropLast(suffix.count))
        names += Self.names(stem, in: module)
        if stem == "weight" || stem == "_weight" { weight = module + stem }
      }
    }
  }

  /// The names that codes have whose scale has this name before its suffix.
  private static func names(_ stem: String, in module: String) -> [String] {
    switch stem {
    case "": []
    case "input", "output", "weights", "activation": codesOfModule.map { module + $0 }
    case "q", "k", "v": codesOfModule.flatMap { [module + $0, "\(module)\(stem)_proj.\($0)"] }
    default:
      ["", "_packed", "_qdata", "_blocks"].map { module + stem + $0 } + [module + "q" + stem]
    }
  }

  /// Codes of a module that has one weight.
  private static let codesOfModule = [
    "weight", "weight_packed", "qweight", "W_q", "codes", "_weight_qdata", "_data",
  ]
  /// What stands beside the codes of a module.
  private static let ofModule: Set = [
    "scale", "scales", "biases", "global_scale", "zero", "zeros", "qzeros", "zero_point", "g_idx",
    "codebooks", "SCB", "weight_format", "scale_weight", "scale_input", "pre_quant_scale", "_scale",
    "_shift",
  ]
  /// What stands below the name of the codes.
  private static let ofTensor: Set = [
    "absmax", "quant_map", "nested_absmax", "nested_quant_map", "quant_state",
  ]
  /// What stands behind the name of the codes.
  private static let suffixes = [
    "_scale", "_scales", "_scale_inv", "_scale_2", "_scale_ub", "_global_scale",
    "_per_tensor_scale", "_scaling_factor", "_zero_point", "_zeros", "_shape", "_g_idx",
  ]
}
