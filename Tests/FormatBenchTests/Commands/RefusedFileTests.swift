import CommandLineTestSupport
import CommandLineToolkit
import Foundation
import TensorFiles
import Testing

@testable import FormatBench

@Suite("Files that fmtbench decode refuses")
struct RefusedFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test("Decoding refuses packed files whose planes, shape and codes contradict each other")
  func hostilePackedFiles() throws {
    let packed = TensorData(name: "packed", shape: [2, 20], [UInt8](repeating: 1, count: 40))
    let scales = TensorData(name: "scales", shape: [2, 2], [127, 127, 127, 127] as [UInt8])
    // Code 1 and code 0 in turn.
    let codes = TensorData(name: "codes", shape: [2, 40], (0..<80).map { UInt8(1 - $0 % 2) })
    let good = ["layout": "2", "format": "mxfp4", "shape": "[2,40]", "axis": "1"]
    func with(_ key: String, _ value: String?) -> [String: String] {
      var metadata = good
      metadata[key] = value
      return metadata
    }
    let odd = ["layout": "2", "format": "e2m1fn", "shape": "[2,3]", "axis": "1"]
    let cases: [([TensorData], [String: String], String)] = [
      ([packed, scales], with("layout", "3"), "layout '3' is not known; 1 and 2 are"),
      ([packed, scales], with("shape", nil), "no shape"),
      ([packed, scales], with("shape", "2,40"), "shape '2,40' is none"),
      ([packed, scales], with("shape", "[2,-40]"), "shape '[2,-40]' is none"),
      ([packed, scales], with("shape", "[2,]"), "is none"),
      ([packed, scales], with("shape", "[99999999999999999999]"), "is none"),
      ([packed, scales], with("shape", "[9223372036854775807,2]"), "not possible"),
      ([packed, scales], with("shape", "[2,42]"), "44 entries"),
      ([packed, scales], with("shape", "[1,281474976710656]"), "entries"),
      // As many bytes in all, but not in the planes.
      ([packed, scales], with("shape", "[4,20]"), "has shape [2, 20], not [4, 10]"),
      ([packed, scales], with("axis", "2"), "axis 2"),
      ([packed], good, "no tensor 'scales'"), ([scales], good, "no tensor 'packed'"),
      (
        [packed, TensorData(name: "scales", shape: [4], [127, 127, 127, 127] as [UInt8])], good,
        "shape [4], not [2, 2]"
      ),
      (
        [
          TensorData(name: "packed", shape: [42], [UInt8](repeating: 1, count: 42)),
          TensorData(name: "scales", shape: [2], [127, 127] as [UInt8]),
        ], good, "'packed' has shape [42], not [2, 20]"
      ),
      (
        [packed, TensorData(name: "scales", shape: [2], [1, 2] as [UInt16])], good,
        "'scales' is U16, not U8"
      ),
      (
        [packed, scales, TensorData(name: "tensor_scale", shape: [1], [1] as [Float])], good,
        "'tensor_scale' does not belong to mxfp4"
      ),
      (
        [packed, scales, TensorData(name: "bias", shape: [1], [1] as [Float])], good,
        "'bias' does not belong to mxfp4"
      ),
      (
        [packed, scales, TensorData(name: "codes", shape: [80], [UInt8](repeating: 1, count: 80))],
        good, "'codes' does not hold the codes of 'packed'"
      ),
      (
        [
          packed, scales,
          TensorData(name: "codes", shape: [2, 40], [UInt8](repeating: 1, count: 80)),
        ],
        good, "'codes' does not hold the codes of 'packed'"
      ),
      (
        [TensorData(name: "packed", shape: [2, 2], [0, 0, 0, 0x10] as [UInt8])], odd,
        "codes, row 1: the bits after the last code are not zero"
      ),
    ]
    for (tensors, metadata, message) in cases {
      try SafetensorsWriter.write(tensors, metadata: metadata, to: folder.path("in"))
      let result = runFmtbench(["decode", folder.path("in"), "--output", folder.path("y.npy")])
      #expect(result.status == .input, "\(message)")
      #expect(result.stderr.contains(message), "expected '\(message)': \(result.stderr)")
      #expect(folder.names == ["in"])
    }
    for tensors in [[packed, scales], [packed, scales, codes]] {
      try SafetensorsWriter.write(tensors, metadata: good, to: folder.path("in"))
      let result = runFmtbench(["decode", folder.path("in"), "--output", folder.path("y.npy")])
      #expect(result.status == .done, "\(result.stderr)")
    }
  }

  @Test(
    "Decoding refuses files of version 0.1.0 whose fields contradict format, shape or packed bytes")
  func hostileFiles() throws {
    let codes = TensorData(name: "codes", shape: [2, 40], [UInt8](repeating: 1, count: 80))
    let scales = TensorData(name: "scales", shape: [2, 2], [127, 127, 127, 127] as [UInt8])
    let good = ["format": "mxfp4", "axis": "1"]
    let cases: [([TensorData], [String: String], String)] = [
      ([codes, scales], [:], "names no format"),
      ([codes, scales], ["format": "mxfp5", "axis": "1"], "unknown format"),
      ([codes, scales], ["format": "mxfp4"], "no axis"),
      ([codes, scales], ["format": "mxfp4", "axis": "7"], "axis 7"),
      ([scales], good, "no tensor 'codes'"),
      ([codes], good, "no tensor 'scales'"),
      ([codes, TensorData(name: "scales", shape: [3], [1, 2, 3] as [UInt8])], good, "3 entries"),
      ([codes, TensorData(name: "scales", shape: [4], [1, 2, 3, 4] as [UInt8])], good, "shape"),
      ([codes, TensorData(name: "scales", shape: [2, 2], [1, 2, 3, 4] as [Float])], good, "F32"),
      (
        [TensorData(name: "codes", shape: [2, 40], [UInt8](repeating: 16, count: 80)), scales],
        good, "16"
      ),
      (
        [codes, scales, TensorData(name: "packed", shape: [1], [0] as [UInt8])], good, "packed"
      ),
      ([codes, scales], ["format": "nvfp4(block=32)", "axis": "1"], "tensor_scale"),
      ([codes, scales], good.merging(["scale_rule": "zzz"]) { $1 }, "scale_rule 'zzz'"),
      ([codes, scales], good.merging(["rounding": "nearest"]) { $1 }, "rounding 'nearest'"),
      ([codes, scales], ["format": String(repeating: "m", count: 999), "axis": "1"], "999 bytes"),
    ]
    for (tensors, metadata, message) in cases {
      try SafetensorsWriter.write(tensors, metadata: metadata, to: folder.path("in"))
      let result = runFmtbench(["decode", folder.path("in"), "--output", folder.path("y.npy")])
      #expect(result.status == .input, "\(message)")
      #expect(result.stderr.contains(message), "expected '\(message)': \(result.stderr)")
      #expect(folder.names == ["in"])
    }
    try SafetensorsWriter.write([codes, scales], metadata: good, to: folder.path("in"))
    let result = runFmtbench(["decode", folder.path("in"), "--output", folder.path("y.npy")])
    #expect(result.status == .done)
  }
}
