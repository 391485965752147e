internal import StrictJSON
internal import TensorFiles

/// Whose names the tensors of a language model have.
public enum NameScheme: String, CaseIterable, Sendable {
  /// Those of the source.
  case keep
  /// transformers', such as `model.layers.0.self_attn.q_proj.weight`.
  case huggingFace = "hf"
  /// llama.cpp's, such as `blk.0.attn_q.weight`.
  case gguf
}

/// The names of the tensors of decoder models in transformers and in GGUF files.
///
/// Source: `gguf-py/gguf/tensor_mapping.py` and `constants.py` of llama.cpp.
struct NameTable: Sendable {
  /// Which of the names of norms an architecture has.
  enum Norms: Hashable, Sendable {
    /// One before attention and one before the layers of the feed-forward part.
    case before
    /// Also one after each of both, as Gemma 2 and 3 have them.
    case around
  }

  /// The names outside layers: GGUF's and transformers'.
  private static let outside: [(gguf: String, huggingFace: String)] = [
    ("token_embd", "model.embed_tokens"), ("output_norm", "model.norm"), ("output", "lm_head"),
  ]

  /// The names within a layer.
  private static let inside: [(gguf: String, huggingFace: String)] = [
    ("attn_norm", "input_layernorm"), ("attn_q", "self_attn.q_proj"),
    ("attn_k", "self_attn.k_proj"), ("attn_v", "self_attn.v_proj"),
    ("attn_output", "self_attn.o_proj"), ("attn_q_norm", "self_attn.q_norm"),
    ("attn_k_norm", "self_attn.k_norm"), ("ffn_gate", "mlp.gate_proj"),
    ("ffn_up", "mlp.up_proj"), ("ffn_down", "mlp.down_proj"), ("ffn_gate_inp", "mlp.gate"),
  ]

  private static func norms(_ norms: Norms) -> [(gguf: String, huggingFace: String)] {
    switch norms {
    case .before: [("ffn_norm", "post_attention_layernorm")]
    case .around:
      [
        ("post_attention_norm", "post_attention_layernorm"),
        ("ffn_norm", "pre_feedforward_layernorm"), ("post_ffw_norm", "post_feedforward_layernorm"),
      ]
    }
  }

  private let toGGUF: [String: String]
  private let toHuggingFace: [String: String]

  init(_ norms: Norms) {
    let pairs = Self.inside + Self.norms(norms)
    toGGUF = Dictionary(uniqueKeysWithValues: pairs.map { ($0.huggingFace, $0.gguf) })
    toHuggingFace = Dictionary(uniqueKeysWithValues: pairs.map { ($0.gguf, $0.huggingFace) })
  }

  /// The name in a scheme; the name itself where the table has none.
  func name(_ name: String, in scheme: NameScheme) -> String {
    switch scheme {
    case .keep: name
    case .huggingFace: huggingFaceName(of: name) ?? name
    case .gguf: ggufName(of: name) ?? name
    }
  }

  private func huggingFaceName(of name: String) -> String? {
    guard let (stem, ending) = Self.split(name) else { return nil }
    if let pair = Self.outside.first(where: { $0.gguf == stem }) {
      return pair.huggingFace + ending
    }
    let parts = stem.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 3, parts[0] == "blk", Self.isNumber(parts[1]),
      let inner = toHuggingFace[parts[2]]
    else { return nil }
    return "model.layers.\(parts[1]).\(inner)\(ending)"
  }

  private func ggufName(of name: String) -> String? {
    guard let (stem, ending) = Self.split(name) else { return nil }
    if let pair = Self.outside.first(where: { $0.huggingFace == stem }) {
      return pair.gguf + ending
    }
    let parts = stem.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count >= 4, parts[0] == "model", parts[1] == "layers", Self.isNumber(parts[2]),
      let inner = toGGUF[parts[3...].joined(separator: ".")]
    else { return nil }
    return "blk.\(parts[2]).\(inner)\(ending)"
  }

  /// What stands before `.weight` or `.bias`, and that.
  private static func split(_ name: String) -> (stem: String, ending: String)? {
    for ending in [".weight", ".bias"] where name.hasSuffix(ending) {
      return (String(name.dropLast(ending.count)), ending)
    }
    return nil
  }

  private static func isNumber(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
  }
}

extension ModelCheckpoint {
  /// The scheme that the names of this checkpoint follow; `keep` where they follow none.
  public var nameScheme: NameScheme {
    if tensor(named: "token_embd.weight") != nil { return .gguf }
    if tensor(named: "model.embed_tokens.weight") != nil { return .huggingFace }
    return .keep
  }

  /// The table for this model.
  var nameTable: NameTable {
    let hasNormsAround = tensors.contains {
      $0.name.contains("post_ffw_norm") || $0.name.contains("pre_feedforward_layernorm")
    }
    return NameTable(hasNormsAround ? .around : .before)
  }

  /// The checkpoint with the names of a scheme.
  ///
  /// Names that no table has stay. In models of the architecture `llama`, GGUF files hold the rows of the
  /// query and key projections in pairs where transformers has halves; they are put in order.
  ///
  /// - Throws: `.tensor` where two tensors get one name; `.request` for a model whose heads are not told.
  public func renamed(_ scheme: NameScheme) throws(ModelCheckpointError) -> ModelCheckpoint {
    guard scheme != .keep, scheme != nameScheme else { return self }
    let table = nameTable
    let heads = try rotaryHeads
    var renamed: [CheckpointTensor] = []
    for tensor in tensors {
      let name = table.name(tensor.name, in: scheme)
      let huggingFace = table.name(tensor.name, in: .huggingFace)
      var order = RowOrder.stored
      if let heads, name != tensor.name {
        let count =
          huggingFace.contains("self_attn.q_proj.")
          ? heads.query : huggingFace.contains("self_attn.k_proj.") ? heads.key : 0
        if count > 0 {
          order =
            scheme == .huggingFace ? .halvesOfPairs(heads: count) : .pairsOfHalves(heads: count)
        }
      }
      renamed.append(try tensor.renamed(name, order))
    }
    return try ModelCheckpoint(self, tensors: renamed)
  }

  /// The heads of the query and of the key in models whose rows are ordered differently; nil in others.
  private var rotaryHeads: (query: Int, key: Int)? {
    get throws(ModelCheckpointError) {
      if let keys = files.gguf {
        guard keys["general.architecture"]?.text == "llama" else { return nil }
        guard let query = keys["llama.attention.head_count"]?.integer else {
          throw .request(path: path, reason: "tells no llama.attention.head_count")
        }
        return (query, keys["llama.attention.head_count_kv"]?.integer ?? query)
      }
      guard let config = files.configuration.config, config["model_type"]?.text == "llama" else {
        return nil
      }
      guard let query = config["num_attention_heads"]?.integer, query > 0 else {
        throw .request(path: path, reason: "config.json tells no num_attention_heads")
      }
      return (query, config["num_key_value_heads"]?.integer ?? query)
    }
  }
}
