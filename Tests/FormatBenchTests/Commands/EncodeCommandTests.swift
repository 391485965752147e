import BlockFormats
import CommandLineTestSupport
import CommandLineToolkit
import Foundation
import TensorFiles
import Testing

@testable import FormatBench

@Suite("fmtbench encode and decode")
struct EncodeCommandTests {
  private let folder: TemporaryFolder
  private let values = (0..<210).map { Float(sin(Double($0) * 1.7)) * Float(1 + $0 % 13) }

  init() throws { folder = try TemporaryFolder() }

  private func encode(_ arguments: [String], shape: [Int] = [3, 70]) throws -> SafetensorsFile {
    try NpyWriter.write(floats: values, shape: shape, to: folder.path("x.npy"))
    let result = runFmtbench(
      ["encode", folder.path("x.npy"), "--output", folder.path("o.safetensors")] + arguments)
    #expect(result.status == .done, "\(result.stderr)")
    return try SafetensorsFile(path: folder.path("o.safetensors"))
  }

  private func shape(_ name: String, _ file: SafetensorsFile) -> [Int]? {
    file.tensor(named: name)?.shape
  }

  private func dtype(_ name: String, _ file: SafetensorsFile) -> TensorDType? {
    file.tensor(named: name)?.dtype
  }

  @Test("Each kind of format writes its planes with the documented shapes and dtypes")
  func planeShapes() throws {
    let mx = try encode(["--format", "mxfp4"])
    #expect(shape("packed", mx) == [3, 35] && dtype("packed", mx) == .u8)
    #expect(shape("scales", mx) == [3, 3] && dtype("scales", mx) == .u8)
    #expect(mx.tensors.count == 2)

    let columns = try encode(["--format", "mxfp4", "--axis", "0", "--block", "2"])
    #expect(shape("scales", columns) == [2, 70])

    let bdr = try encode(["--format", "mx9"])
    #expect(shape("scales", bdr) == [3, 5])
    // 35 bits of sub-scales in a row.
    #expect(shape("subscales", bdr) == [3, 5] && dtype("subscales", bdr) == .u8)

    let nvfp4 = try encode(["--format", "nvfp4"])
    #expect(shape("tensor_scale", nvfp4) == [1] && dtype("tensor_scale", nvfp4) == .f32)
    #expect(shape("scales", nvfp4) == [3, 5] && dtype("scales", nvfp4) == .u8)
    #expect(shape("scales", try encode(["--format", "nvfp4_2d"])) == [1, 5])
    // Five scales of six bits.
    #expect(shape("scales", try encode(["--format", "vsq"])) == [3, 4])

    let tensor = try encode(["--format", "fp8_e4m3_tensor"])
    #expect(shape("scales", tensor) == [1] && dtype("scales", tensor) == .f32)
    #expect(shape("scales", try encode(["--format", "int8_row"])) == [3, 1])
    #expect(shape("scales", try encode(["--format", "fp8_e5m2_128x128"])) == [1, 1])
    let wide = try encode(["--format", "scaled(element=e2m1fn,block=16,scale=bf16)"])
    #expect(shape("scales", wide) == [3, 5] && dtype("scales", wide) == .u16)
    #expect(try encode(["--format", "e4m3fn"]).tensors.map(\.name) == ["packed"])
  }

  @Test("--codes adds one integer for each code, and decodes to the same")
  func unpackedCodes() throws {
    for (format, type) in [("mxfp4", TensorDType.u8), ("bf16", .u16), ("tf32", .u32)] {
      let packed = try encode(["--format", format])
      let both = try encode(["--format", format, "--codes"])
      #expect(shape("codes", packed) == nil)
      #expect(shape("codes", both) == [3, 70] && dtype("codes", both) == type)
      let expected = Tensor(values, shape: [3, 70])
        .quantized(to: try FormatCatalog.format(id: format))["codes"].unpacked()
      let info = try #require(both.tensor(named: "codes"))
      let codes: [UInt32] =
        switch type {
        case .u8: try both.integers(of: info, as: UInt8.self).map(UInt32.init)
        case .u16: try both.integers(of: info, as: UInt16.self).map(UInt32.init)
        default: try both.integers(of: info, as: UInt32.self)
        }
      #expect(codes == expected)
      let decoded = runFmtbench(
        ["decode", folder.path("o.safetensors"), "-o", folder.path("y.npy")])
      #expect(decoded.status == .done, "\(decoded.stderr)")
    }
  }

  @Test("A file holds the format's bits and a header, for every format of the catalog")
  func bitsOnDisk() throws {
    let long = (0..<256 * 128).map { Float($0 % 97) - 48.3 }
    for format in FormatCatalog.all {
      try NpyWriter.write(floats: long, shape: [256, 128], to: folder.path("x.npy"))
      let result = runFmtbench(
        ["encode", folder.path("x.npy"), "--format", format.id, "-o", folder.path("o")])
      #expect(result.status == .done, "\(result.stderr)")
      let tensor = Tensor(long, shape: [256, 128]).quantized(to: format)
      let data = try Data(contentsOf: URL(fileURLWithPath: folder.path("o")))
      let header = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      #expect(data.count - 8 - header == tensor.storedByteCount, "\(format.id)")
      #expect(header < 1024)
      let bits = NumberStyle.trimmed(decimals: 4).text(tensor.bitsPerElement)
      #expect(
        result.stderr
          == "fmtbench: wrote \(folder.path("o")): \(format.id) of shape [256,128], "
          + "\(tensor.storedByteCount) bytes of codes and scales, \(bits) bits an element\n")
    }
    let quiet = runFmtbench(
      ["encode", folder.path("x.npy"), "--format", "mxfp4", "-q", "-o", folder.path("o")])
    #expect(quiet == RunResult(status: .done, stdout: "", stderr: ""))
  }

  @Test(
    "Files of version 0.1.0 decode to what that version decoded",
    arguments: ["mxfp4", "mx9", "nvfp4", "fp8_e4m3_tensor", "bf16"])
  func earlierFiles(format: String) throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let name = root.appendingPathComponent("Vectors/quantized/0.1.0-\(format)").path
    let result = runFmtbench(["decode", name + ".safetensors", "-o", folder.path("y.npy")])
    #expect(result.status == .done, "\(result.stderr)")
    let (decoded, expected) = (
      try NpyFile(path: folder.path("y.npy")), try NpyFile(path: name + ".npy")
    )
    #expect(decoded.shape == [2, 35] && expected.shape == [2, 35])
    #expect(try decoded.floats().map(\.bitPattern) == expected.floats().map(\.bitPattern))
  }

  @Test("The packed bytes and metadata are those of the library")
  func packedBytes() throws {
    let file = try encode(["--format", "mx6", "--rounding", "toward_zero", "--scale-rule", "rceil"])
    var policy = SharedExponentFormat.mx6.defaultPolicy
    policy.rounding = .towardZero
    policy.scaleRule = .powerOfTwo(.rceil)
    let expected = Tensor(values, shape: [3, 70]).quantized(to: .mx6, policy: policy)
    let bytes = try ["packed", "scales", "subscales"].flatMap { name in
      try file.bytes(of: #require(file.tensor(named: name)))
    }
    #expect(bytes == expected.storedBytes)
    #expect(file.metadata["layout"] == "2")
    #expect(file.metadata["format"] == "mx6")
    #expect(file.metadata["shape"] == "[3,70]")
    #expect(file.metadata["axis"] == "1")
    #expect(file.metadata["scale_rule"] == "rceil")
    #expect(file.metadata["rounding"] == "toward_zero")
  }

  /// Blocks that run over the flattened tensor, of every encoder.
  private static let runIDs = [
    "scaled(element=e2m1fn,block=run32,scale=e8m0fnu)",
    "scaled(element=int8,block=run5,scale=fp32)",
    "scaled(element=e2m1fn,block=run16,scale=e4m3fn,tensor_scale=yes)", "nf4(block=9)",
  ]

  @Test("Decoding gives the library's values for every format of the catalog, and for runs")
  func roundTrips() throws {
    for format in FormatCatalog.all + (try Self.runIDs.map { try FormatCatalog.format(id: $0) }) {
      _ = try encode(
        ["--format", format.id] + (Self.runIDs.contains(format.id) ? ["--codes"] : []))
      let result = runFmtbench(
        ["decode", folder.path("o.safetensors"), "--output", folder.path("y.npy")])
      #expect(result.status == .done, "\(format.id): \(result.stderr)")
      let decoded = try NpyFile(path: folder.path("y.npy"))
      func expected(_ format: some BlockFormat) -> [Float] {
        Tensor(values, shape: [3, 70]).quantized(to: format).dequantized().elements
      }
      #expect(decoded.shape == [3, 70])
      #expect(
        try decoded.floats().map(\.bitPattern) == expected(format).map(\.bitPattern),
        "\(format.id)")
    }
  }

  @Test("Shapes without elements, however long their axes, encode to no codes")
  func hugeEmptyShapes() throws {
    for extent in [1, 1 << 40] {
      try NpyWriter.write(floats: [], shape: [0, extent], to: folder.path("x.npy"))
      for format in ["mxfp4", "mx9", "nvfp4_2d", "fp8_e4m3_tensor", "bf16", "nf4"] {
        let result = runFmtbench(
          ["encode", folder.path("x.npy"), "--format", format, "--output", folder.path("o")])
        #expect(result.status == .done, "\(format): \(result.stderr)")
        let file = try SafetensorsFile(path: folder.path("o"))
        #expect(file.metadata["shape"] == "[0,\(extent)]")
        let decoded = runFmtbench(["decode", folder.path("o"), "--output", folder.path("y.npy")])
        #expect(decoded.status == .done, "\(format): \(decoded.stderr)")
        #expect(try NpyFile(path: folder.path("y.npy")).shape == [0, extent])
      }
    }
  }

  @Test("A tensor without elements stores the tensor scale it was given")
  func emptyTensorScale() throws {
    try NpyWriter.write(floats: [], shape: [0, 3], to: folder.path("x.npy"))
    let result = runFmtbench([
      "encode", folder.path("x.npy"), "--format", "nvfp4", "--tensor-scale", "0.5", "--output",
      folder.path("o"),
    ])
    #expect(result.status == .done)
    let file = try SafetensorsFile(path: folder.path("o"))
    #expect(try file.floats(of: try #require(file.tensor(named: "tensor_scale"))) == [0.5])
  }

  @Test("A given tensor scale is the decode multiplier, bit for bit")
  func tensorScale() throws {
    let file = try encode(["--format", "nvfp4", "--tensor-scale", "0.00390625"])
    let scale = try #require(file.tensor(named: "tensor_scale"))
    #expect(try file.floats(of: scale) == [0.00390625])
  }

  @Test("The FP32 scale of a block that is the whole tensor may be given as well")
  func wholeTensorBlockScale() throws {
    let file = try encode(["--format", "fp8_e4m3_tensor", "--tensor-scale", "0.375"])
    let scales = try #require(file.tensor(named: "scales"))
    #expect(try file.floats(of: scales) == [0.375])
  }

  @Test("The same seed gives the same bytes, another seed others")
  func seeds() throws {
    func packed(_ seed: String) throws -> [UInt8] {
      let file = try encode(["--format", "mxfp4", "--rounding", "stochastic", "--seed", seed])
      return try file.bytes(of: try #require(file.tensor(named: "packed")))
    }
    let first = try packed("1")
    #expect(try packed("1") == first)
    #expect(try packed("2") != first)
  }

  @Test("Wrong options are usage errors and leave no output behind")
  func usageErrors() throws {
    try NpyWriter.write(floats: values, shape: [3, 70], to: folder.path("x.npy"))
    let cases: [([String], String)] = [
      (["--format", "mxfp"], "unknown format"), (["--format", "mxfp4", "--block", "0"], "--block"),
      (["--format", "mxfp4", "--scale-rule", "amax"], "has no rule 'amax'"),
      (["--format", "mxfp4", "--axis", "2"], "not an axis"),
      (["--format", "mxfp4", "--tensor-scale", "2"], "no tensor scale"),
      (["--format", "fp8_e4m3_row", "--tensor-scale", "2"], "no tensor scale"),
      (["--format", "nvfp4", "--tensor-scale", "0"], "finite number of at least 2^-128"),
      (["--format", "nvfp4", "--tensor-scale", "nan"], "finite number of at least 2^-128"),
      (["--format", "nvfp4_2d", "--block", "8"], "no parameter 'block'"),
      (["--format", "bdr(m=5,k1=10,k2=4)"], "divisor"), ([], "--format"),
      (
        ["--format", "mxfp4", "--scale-floor", "least_normal"],
        "the smallest scale a block stores is a part of mxfp4"
      ),
      (
        ["--format", "int8_row", "--zero-block", "one"],
        "the scale of a block of zeros is a part of int8_row"
      ),
    ]
    for (arguments, message) in cases {
      let result = runFmtbench(
        ["encode", folder.path("x.npy"), "--output", folder.path("o")] + arguments)
      #expect(result.status == .usage, "\(arguments)")
      #expect(result.stderr.contains(message), "\(arguments): \(result.stderr)")
      #expect(folder.names == ["x.npy"])
    }
  }

  @Test("Missing files, directories and unwritable outputs are input errors")
  func inputErrors() throws {
    try NpyWriter.write(floats: values, shape: [3, 70], to: folder.path("x.npy"))
    let format = ["--format", "mxfp4"]
    for arguments in [
      [folder.path("none.npy"), "--output", folder.path("o")],
      [folder.url.path, "--output", folder.path("o")],
      [folder.path("x.npy"), "--output", folder.path("none/o")],
      [folder.path("x.npy"), "--output", folder.url.path],
    ] {
      let result = runFmtbench(["encode"] + arguments + format)
      #expect(result.status == .input, "\(arguments)")
      #expect(result.stderr.split(separator: "\n").count == 1)
    }
    #expect(folder.names == ["x.npy"])
  }

  @Test("Float64 is rounded once, and said to be; what is no array of floats is called what it is")
  func otherInputs() throws {
    let folder = try TemporaryFolder()
    func write(_ bytes: [UInt8], _ name: String) throws -> String {
      try Data(bytes).write(to: URL(fileURLWithPath: folder.path(name)))
      return folder.path(name)
    }
    func array(_ descriptor: String, _ data: [UInt8]) -> [UInt8] {
      let text = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (2,), }"
      return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
        + data
    }
    // 1 + 2^-24 + 2^-52 rounds up once, and down after a rounding to FP32's ties in between.
    let double: [UInt8] = [1, 0, 0, 0x10, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 4, 0xc0]
    let wide = try write(array("<f8", double), "wide.npy")
    let result = runFmtbench(
      ["encode", wide, "--format", "fp32", "--quiet", "--output", folder.path("o")])
    #expect(result.status == .done)
    #expect(
      result.stderr
        == """
        fmtbench: warning: \(wide): float64 is rounded once to FP32, to nearest, and infinite \
        beyond its range

        """)
    #expect(
      runFmtbench(["decode", folder.path("o"), "--output", folder.path("y.npy")]).status == .done)
    #expect(
      try NpyFile(path: folder.path("y.npy")).floats().map(\.bitPattern)
        == [0x3f80_0001, 0xc020_0000])

    let integers = try write(array("<i8", [UInt8](repeating: 0, count: 16)), "integers.npy")
    for (path, cause) in [
      (integers, "dtype '<i8' is not supported here; supported: <f2 <f4 <f8 >f2 >f4 >f8"),
      (folder.path("o"), "is a safetensors file, not a NumPy array file"),
    ] {
      let refused = runFmtbench(["encode", path, "--format", "mxfp4", "--output", folder.path("p")])
      #expect(refused.status == .input)
      #expect(refused.stderr == "fmtbench: error: \(path): \(cause)\n")
    }
    let decoded = runFmtbench(["decode", wide, "--output", folder.path("p")])
    #expect(decoded.status == .input)
    #expect(
      decoded.stderr
        == "fmtbench: error: \(wide): is a NumPy array file, not a safetensors file\n")
  }

  @Test(
    "Formats of the largest blocks encode small arrays, whatever a block would take",
    arguments: [
      "fp8(element=e4m3fn,block=1048576x1048576)", "mx(element=e2m1fn,block=1048576)",
      "int(bits=8,block=1x1048576)", "bdr(m=5,k1=1048576,k2=2,d1=8,d2=2)", "vsq(block=1048576)",
      "scaled(element=e2m1fn,block=1048576x1,scale=e4m3fn,tensor_scale=yes)",
    ])
  func largestBlocks(_ format: String) throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.npy")
    try NpyWriter.write(floats: (0..<70).map(Float.init), shape: [2, 35], to: path)
    let encoded = runFmtbench(
      ["encode", path, "--format", format, "--output", folder.path("o")])
    #expect(encoded.status == .done, "\(encoded.stderr)")
    let decoded = runFmtbench(["decode", folder.path("o"), "--output", folder.path("y.npy")])
    #expect(decoded.status == .done, "\(decoded.stderr)")
    #expect(try NpyFile(path: folder.path("y.npy")).shape == [2, 35])
    for arguments in [["show", format], ["explain", format, "1", "2"], ["compare", path]] {
      let extra = arguments[0] == "compare" ? ["--formats", format] : []
      #expect(runFmtbench(arguments + extra).status == .done, "\(arguments)")
    }
  }
}
