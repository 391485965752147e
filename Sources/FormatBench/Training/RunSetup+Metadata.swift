import CommandLineToolkit
import LowPrecisionTraining
import TrainingRecipes

/// The setup as texts, which travel in a checkpoint: what a resumed run must agree with, and what
/// `eval` builds the model from.
extension RunSetup {
  /// A setup together with its recipe, as in a checkpoint's metadata.
  ///
  /// - Parameter fingerprint: of the data, where it is a file.
  func metadata(_ recipe: Recipe, fingerprint: String?) -> [String: String] {
    var texts = [
      "model": model.rawValue, "steps": "\(stepCount)", "batch": "\(batchCount)",
      "context": "\(context)", "width": "\(width)", "layers": "\(depth)", "heads": "\(headCount)",
      "lr": "\(learningRate)", "schedule": schedule.rawValue, "optimizer": optimizer.rawValue,
      "arithmetic": arithmetic.rawValue,
      "recipe": recipe.json,
    ]
    switch data {
    case .task(let task): texts["task"] = task.rawValue
    case .text(let path):
      texts["text"] = path
      texts["text_fingerprint"] = fingerprint
    }
    return texts
  }

  /// The keys of two setups' texts that differ; the path of a text may, its bytes may not.
  static func differences(_ a: [String: String], _ b: [String: String]) -> [String] {
    Set(a.keys).union(b.keys).filter { $0 != "text" && a[$0] != b[$0] }.sorted()
  }

  /// Reads a checkpoint's metadata, which may come from anywhere: every number is held to the range
  /// of its option.
  init(metadata: [String: String], path: String) throws(CommandError) {
    func value<Value>(
      _ key: String, _ option: Option<Value>
    ) throws(CommandError) -> Value {
      guard let text = metadata[key] else {
        throw .input("\(path): the checkpoint does not say its \(key)")
      }
      do {
        return try option.value(of: text)
      } catch {
        throw .input("\(path): the checkpoint's metadata: \(error.message)")
      }
    }
    let data: DataChoice =
      if let path = metadata["text"] {
        .text(path: path)
      } else {
        .task(try value("task", TrainOptions.task))
      }
    self.init(
      model: try value("model", TrainOptions.model),
      stepCount: try value("steps", TrainOptions.steps),
      batchCount: try value("batch", TrainOptions.batch),
      context: try value("context", TrainOptions.context),
      width: try value("width", TrainOptions.width),
      depth: try value("layers", TrainOptions.layers),
      headCount: try value("heads", TrainOptions.heads),
      learningRate: try value("lr", TrainOptions.learningRate),
      schedule: try value("schedule", TrainOptions.schedule),
      optimizer: try value("optimizer", TrainOptions.optimizer),
      arithmetic: try value("arithmetic", TrainOptions.arithmetic),
      data: data)
    do {
      try check()
    } catch {
      throw .input("\(path): the checkpoint's metadata: \(error.message)")
    }
  }
}
