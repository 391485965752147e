import CommandLineTestSupport
import CommandLineToolkit
import Foundation
import LowPrecisionTraining
import TensorFiles
import Testing
import TrainingRecipes

@testable import FormatBench

/// The program itself in a line of a shell, where redirections, pipes and limits are said shortest.
@Suite("What files are read from and written to")
struct FilePlacesTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let values = (0..<640).map { Float($0 % 37) - 18.25 }
    try NpyWriter.write(floats: values, shape: [20, 32], to: folder.path("a.npy"))
  }

  private struct Outcome {
    var status: Int32
    var messages: String
  }

  /// Runs a script in the folder, in which `$FMTBENCH` is the program.
  private func shell(_ script: String) throws -> Outcome {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", script]
    process.currentDirectoryURL = folder.url
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["FMTBENCH": try BuiltProgram.path()]) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    let messages = folder.path("messages")
    try Data().write(to: URL(fileURLWithPath: messages))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: messages))
    try process.run()
    process.waitUntilExit()
    let status =
      process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    let text = try String(contentsOfFile: messages, encoding: .utf8)
    try FileManager.default.removeItem(atPath: messages)
    return Outcome(status: status, messages: text)
  }

  private func contents(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: folder.path(name)))
  }

  private func names() throws -> Set<String> {
    Set(try FileManager.default.contentsOfDirectory(atPath: folder.url.path))
  }

  @Test("An output that is the input, however it is spelled, is refused and the input is kept")
  func overwriting() throws {
    #expect(try shell("$FMTBENCH encode a.npy --format mxfp4 --output x.safetensors").status == 0)
    let links = "ln a.npy hard.npy; ln -s a.npy soft.npy; ln -s x.safetensors soft.x"
    #expect(try shell(links).status == 0)
    let (array, checkpoint) = (try contents("a.npy"), try contents("x.safetensors"))
    let names = try names()
    for (command, input, outputs) in [
      ("encode --format mxfp4", "a.npy", ["a.npy", "./a.npy", ".//a.npy", "hard.npy", "soft.npy"]),
      ("decode", "x.safetensors", ["x.safetensors", "$PWD/x.safetensors", "soft.x"]),
    ] {
      for output in outputs {
        let outcome = try shell("$FMTBENCH \(command) \(input) --output \(output)")
        #expect(outcome.status == ExitStatus.usage.rawValue, "\(output)")
        #expect(outcome.messages.contains(input) && outcome.messages.contains("would be lost"))
      }
    }
    #expect(try shell("$FMTBENCH encode --format mxfp4 - --output a.npy < a.npy").status == 2)
    #expect(try shell("$FMTBENCH decode x.safetensors --output - >> x.safetensors").status == 2)
    #expect(try contents("a.npy") == array)
    #expect(try contents("x.safetensors") == checkpoint)
    #expect(try self.names() == names)
  }

  @Test("A text that a run would write over is refused before anything is written")
  func trainedText() throws {
    let runs = folder.path("runs")
    for file in ["fp32/seed-0/curve.csv", "report.json"] {
      let target = URL(fileURLWithPath: runs + "/" + file)
      try FileManager.default.createDirectory(
        at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(repeating: 65, count: 1000).write(to: target)
      let text = folder.path("text")
      try FileManager.default.createSymbolicLink(atPath: text, withDestinationPath: target.path)
      let plan = TrainingPlan(
        setup: RunSetup(
          model: .transformer, stepCount: 6, batchCount: 2, context: 16, width: 16, depth: 1,
          headCount: 2, learningRate: 1e-2, schedule: .cosine, optimizer: .adamW,
          arithmetic: .packed, data: .text(path: text)), baseline: GivenRecipe(.fp32), recipes: [],
        seedCount: 1, directory: RunDirectory(path: runs, opening: .resumed))
      let error = #expect(throws: CommandError.self) {
        _ = try plan.directory?.open(plan, fingerprint: nil)
      }
      #expect(
        error
          == .usage(
            "the --out file \(target.path) is the same file as the input \(text), which would be "
              + "lost"))
      try FileManager.default.removeItem(atPath: text)
    }
  }

  @Test("Standard output, pipes and links receive what a file would")
  func outputs() throws {
    let encode = "$FMTBENCH encode a.npy --format mxfp4 --output"
    #expect(try shell("\(encode) plain").status == 0)
    let expected = try contents("plain")
    for script in [
      "\(encode) - > out", "\(encode) /dev/stdout > out", "\(encode) - | cat > out",
      "\(encode) /dev/stdout | cat > out", ": > out; \(encode) /dev/stdout >> out",
      "\(encode) /dev/fd/3 3> out", "mkfifo pipe; cat pipe > out & \(encode) pipe; wait",
      "ln -s out link; \(encode) link; test -L link && test ! -L out",
      "ln -s out new; \(encode) new; test -L new && test ! -L out",
    ] {
      try? FileManager.default.removeItem(atPath: folder.path("out"))
      let outcome = try shell(script)
      #expect(outcome.status == 0, "\(script): \(outcome.messages)")
      #expect(try contents("out") == expected, "\(script)")
    }
    #expect(try names() == ["a.npy", "plain", "out", "pipe", "link", "new"])
  }

  @Test("What cannot be written to is refused, and a failing write leaves nothing behind")
  func refusedOutputs() throws {
    let encode = "$FMTBENCH encode a.npy --format mxfp4 --output"
    var scripts = ["\(encode) .", "\(encode) b/", "\(encode) a.npy/b", "\(encode) - >&-"]
    #if os(Linux)
    scripts += ["\(encode) /dev/full", "\(encode) - > /dev/full", "ulimit -f 1; \(encode) big"]
    #endif
    for script in scripts {
      let outcome = try shell(script)
      #expect(outcome.status == ExitStatus.input.rawValue, "\(script): \(outcome.messages)")
      #expect(outcome.messages.split(separator: "\n").count == 1, "\(outcome.messages)")
    }
    #expect(try names() == ["a.npy"])
  }

  @Test("Inputs may be pipes and standard input")
  func inputs() throws {
    let compare = "$FMTBENCH compare --formats mxfp4,nvfp4 --csv"
    func results(_ script: String) throws -> String {
      let outcome = try shell("\(script) > out")
      #expect(outcome.status == 0, "\(script): \(outcome.messages)")
      // All but the names of the tensors.
      let lines = String(decoding: try contents("out"), as: UTF8.self).split(separator: "\n")
      return lines.map { $0.drop { $0 != "," } }.joined(separator: "\n")
    }
    let expected = try results("\(compare) a.npy")
    for script in [
      "\(compare) - < a.npy", "cat a.npy | \(compare) -", "cat a.npy | \(compare) /dev/stdin",
      "mkfifo pipe; cat a.npy > pipe & \(compare) pipe", "ln -s a.npy link; \(compare) link",
      // Unlike `head -c 7`, which may read ahead, this takes no more than it is told.
      "{ dd bs=7 count=1 > /dev/null 2>&1; \(compare) -; } < shifted",
    ] {
      try (Data("1234567".utf8) + contents("a.npy")).write(
        to: URL(fileURLWithPath: folder.path("shifted")))
      #expect(try results(script) == expected, "\(script)")
    }
    let encode = "$FMTBENCH encode --format mxfp4"
    #expect(
      try shell(
        "cat a.npy | \(encode) - --output - | $FMTBENCH decode - --output - > b.npy; "
          + "\(encode) a.npy --output x; $FMTBENCH decode x --output c.npy; cmp b.npy c.npy"
      ).status == 0)
    for place in ["- <&-", "- < /dev/null", "/dev/zero", "."] {
      let script = "\(compare) \(place)"
      let outcome = try shell(script)
      #expect(outcome.status == ExitStatus.input.rawValue, "\(script): \(outcome.messages)")
    }
  }

  #if os(Linux)
  @Test("An array that does not fit the address space is refused with what is needed and there")
  func memory() throws {
    // 3 GiB of zeros that take no room on the disk.
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (24576, 32768), }"
    let padding = String(repeating: " ", count: 128 - 10 - header.utf8.count - 1) + "\n"
    let start = Data([0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0]) + Data((header + padding).utf8)
    try start.write(to: URL(fileURLWithPath: folder.path("big.npy")))
    #expect(truncate(folder.path("big.npy"), 128 + 24576 * 32768 * 4) == 0)
    let outcome = try shell(
      "ulimit -v 3000000; $FMTBENCH encode big.npy --format mxfp4 --output x")
    #expect(outcome.status == ExitStatus.input.rawValue, "\(outcome.messages)")
    #expect(outcome.messages.contains("big.npy: reading it needs 3072 MiB of memory, and "))
    #expect(outcome.messages.contains("ulimit -v"))
    #expect(try names() == ["a.npy", "big.npy"])
  }
  #endif
}
