import CommandLineToolkit
import FormatTestSupport
import Foundation
import LowPrecisionTraining
import Testing

@testable import FormatBench

@Suite("Signals to fmtbench train", .serialized)
struct TrainSignalTests {
  private static let options = [
    "--recipe", "bf16", "--seeds", "1", "--steps", "100000", "--batch", "2", "--context", "16",
    "--width", "16", "--layers", "1", "--heads", "2", "--save-every", "100000",
    "--measure-every", "100000",
  ]

  private func start(
    _ folder: TemporaryFolder, _ more: [String] = []
  ) throws -> FmtbenchProcess {
    try FmtbenchProcess(
      ["train", "--out", folder.path("runs")] + Self.options + more, messagesIn: folder)
  }

  /// Starts a run and waits until it has the folder's lock, which is before its first step.
  private func startLocked(
    _ folder: TemporaryFolder, _ more: [String] = []
  ) throws -> FmtbenchProcess {
    let run = try start(folder, more)
    let owner = Data("\(run.identifier)\n".utf8)
    for _ in 0..<6000
    where FileManager.default.contents(atPath: folder.path("runs/.lock")) != owner {
      usleep(10_000)
    }
    return run
  }

  /// The step of the saved state.
  private func savedStep(_ folder: TemporaryFolder) throws -> Int64? {
    try Checkpoint(path: folder.path("runs/fp32/seed-0/state.safetensors")).counters["step"]
  }

  @Test(
    "A run ends saved with status 130, however many signals it gets",
    arguments: [
      [SIGINT], [SIGTERM], [SIGHUP], [SIGTERM, SIGTERM], [SIGINT, SIGINT, SIGINT],
      [SIGHUP, SIGTERM, SIGINT],
    ])
  func saves(signals: [Int32]) throws {
    let folder = try TemporaryFolder()
    let run = try startLocked(folder)
    for signal in signals { run.send(signal) }
    #expect(run.wait() == 130)
    let step = try #require(try savedStep(folder))
    #expect(run.standardError.contains("stopped after step \(step) of 100000 of fp32, seed 0\n"))
    #expect(run.standardError.contains("saving and stopping after this step"))
  }

  @Test("Stopped at any moment again and again, a run goes on from where it was")
  func anyMoment() throws {
    let folder = try TemporaryFolder()
    var random = SystemRandomNumberGenerator()
    var steps: [Int64] = []
    for index in 0..<(Intensity.isDeep ? 60 : 3) {
      let run = try startLocked(folder, index == 0 ? [] : ["--resume"])
      usleep(.random(in: 0...300_000, using: &random))
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        run.send([SIGINT, SIGTERM, SIGHUP].randomElement(using: &random) ?? SIGINT)
        usleep(.random(in: 0...20_000, using: &random))
      }
      #expect(run.wait() == 130, "\(run.standardError)")
      steps.append(try #require(try savedStep(folder)))
    }
    #expect(steps == steps.sorted())
  }

  @Test("A folder in use is refused to a second process, and free after the first was killed")
  func locks() throws {
    let folder = try TemporaryFolder()
    let first = try startLocked(folder)
    let second = try start(folder, ["--resume"])
    #expect(second.wait() == ExitStatus.input.rawValue)
    #expect(
      second.standardError.contains(
        "in use by another fmtbench train (process \(first.identifier))"))
    first.send(SIGKILL)
    #expect(first.wait() == -SIGKILL)
    let third = try startLocked(folder, ["--resume"])
    third.send(SIGTERM)
    #expect(third.wait() == 130)
  }

  #if os(Linux)
  @Test(
    "Too little address space is told in one line with status 3",
    arguments: [(400_000, "512"), (2_000_000, "2048")])
  func addressSpace(limit: Int, width: String) throws {
    let folder = try TemporaryFolder()
    let run = try FmtbenchProcess(
      ["train", "--width", width, "--layers", "8", "--batch", "64"], addressSpace: limit,
      messagesIn: folder)
    #expect(run.wait() == ExitStatus.input.rawValue)
    let text = run.standardError
    #expect(text.contains("of the address space that 'ulimit -v' allows"), "\(text)")
  }
  #endif

  @Test("A command with nothing to save ends by the signal")
  func unsaved() throws {
    let folder = try TemporaryFolder()
    let compare = try FmtbenchProcess(["compare"], messagesIn: folder)
    usleep(200_000)
    compare.send(SIGTERM)
    #expect(compare.wait() == -SIGTERM)
  }
}
