import CommandLineTestSupport
import CommandLineToolkit
import Foundation
import Testing

@testable import FormatBench

@Suite("Options that depend on others")
struct OptionRuleTests {
  @Test(
    "An option that would be ignored is a usage error",
    arguments: [
      ("train --save-every 5", "--save-every needs --out"),
      ("train --measure-every 5", "--measure-every needs --out"),
      ("train --resume", "--resume needs --out"),
      ("train --task corpus --text a.txt", "--task and --text exclude each other"),
      ("train --text a.txt --task=recall", "--task and --text exclude each other"),
      ("train --model mamba --heads 2", "--heads: mamba has no attention"),
      ("train --model mamba2 --heads 4", "--heads: mamba2 has no attention"),
      ("compare --tensor x", "--tensor needs FILE"),
      ("compare a.npy --distribution normal", "--distribution and FILE exclude each other"),
      ("compare a.npy --vectors 10", "--vectors and FILE exclude each other"),
      ("compare a.npy --length 10", "--length and FILE exclude each other"),
      ("compare a.npy --seed 1", "--seed: nothing is random without --rounding stochastic"),
      (
        "compare --vectors 1 --formats mxfp4,mxfp8_e4m3 --scale-floor least_normal",
        "--scale-floor: the smallest scale a block stores is a part of every format compared"
      ),
      ("encode a.npy --format mxfp4 --output b --seed 1", "--seed: nothing is random"),
      (
        "encode a.npy --format mxfp4(block=16) --block 32 --output b",
        "--block and the block of --format mxfp4(block=16) exclude each other"
      ),
      (
        "encode a.npy --format fp8_e4m3_tensor --tensor-scale 1 --scale-rule amax --output b",
        "--tensor-scale and --scale-rule exclude each other: fp8_e4m3_tensor has one scale"
      ),
      ("explain mxfp4 1 --seed 1", "--seed: nothing is random"),
      ("speed --direction decode --rounding stochastic", "--rounding: decoding rounds nothing"),
      ("gemm --accumulator exact --repeats 3", "--repeats needs the accumulator fp32"),
      ("gemm --accumulator exact --threads 1", "--threads needs the accumulator fp32"),
      ("document F.md --check --write", "--check and --write exclude each other"),
    ])
  func refused(line: String, message: String) {
    let result = runFmtbench(line.split(separator: " ").map(String.init))
    #expect(result.status == .usage, "\(line)")
    #expect(result.stdout.isEmpty)
    #expect(result.stderr.hasPrefix("fmtbench: error: " + message), "\(result.stderr)")
  }

  @Test("The help tells what an option needs and what it excludes")
  func help() {
    let text = runFmtbench(["train", "--help"]).stdout.split(separator: "\n")
      .map { TextLayout.trimmed(String($0)) }.joined(separator: " ")
    #expect(text.contains("needs --out (default: 50)"))
    #expect(text.contains("not with --text (default: corpus)"))
  }
}
