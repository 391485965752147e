import BlockFormats
import CBlockKernels
import CKernelLevels
import Foundation
import Testing

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#endif

@Suite("Kernel levels")
struct KernelLevelTests {
  #if arch(arm64)
  static let foreignLevel = KernelLevel.avx2
  #else
  static let foreignLevel = KernelLevel.neon
  #endif

  private func level(
    _ format: some BlockFormat, _ policy: EncodingPolicy, _ shape: KernelShape,
    _ kernels: KernelSelection
  ) -> KernelLevel? {
    TensorQuantizer(
      format: format, shape: shape.extents, axis: shape.axis, policy: policy, kernels: kernels
    ).kernelLevel
  }

  @Test("The level asked for runs the standard formats under every rule and rounding")
  func noFallback() {
    let levels = KernelLevel.supported
    for format in FormatCatalog.standard {
      let shapes = [KernelShape([3, 70]), KernelShape([40, 9], axis: 0)]
      for (index, policy) in KernelPolicies.all(format).enumerated() {
        let asked = levels[index % levels.count]
        let level = level(format, policy, shapes[index / levels.count % 2], .level(asked))
        #expect(level == asked, "\(format.id) \(policy.text)")
      }
      for asked in levels {
        #expect(level(format, format.defaultPolicy, shapes[0], .level(asked)) == asked)
      }
      #expect(level(format, format.defaultPolicy, shapes[0], .best) == KernelLevel.best)
      #expect(level(format, format.defaultPolicy, shapes[0], .reference) == nil)
    }
  }

  @Test("Casts to scales without a sign and formats with other fields run in the reference")
  func fallbacks() {
    let slow = FormatCatalog.all.filter {
      level($0, $0.defaultPolicy, KernelShape([3, 70]), .best) == nil
    }
    let others = [
      "mxfp4_oas_mbs", "if4", "nf4_double", "nvfp4_ggml", "q2_k", "q3_k", "q4_k", "q5_k", "q6_k",
    ]
    #expect(slow.map(\.id) == others + ["hif8", "e8m0fnu", "ue4m3", "ue5m3", "ue5m3_61440"])
  }

  @Test("Levels are those of the kernels' list, in its order and by its ids")
  func list() {
    let ids = (0..<BK_LEVEL_COUNT.rawValue).map { String(cString: bk_level_id(BKLevel($0))) }
    #expect(KernelLevel.allCases.map(\.id) == ids)
    #expect(KernelLevel.allCases.map(\.number) == Array(0..<UInt32(ids.count)))
    for level in KernelLevel.allCases {
      #expect(bk_is_supported(BKLevel(level.number)) == KernelLevel.supported.contains(level))
    }
    #expect(!bk_is_supported(BK_LEVEL_COUNT))
  }

  #if os(Linux)
  @Test(
    "A level is supported where Linux names all its features",
    .enabled(if: !processorFlags.isEmpty))
  func detection() {
    let named = KernelLevel.allCases.filter {
      $0.linuxFlags.map { processorFlags.isSuperset(of: $0) } ?? false
    }
    #expect(KernelLevel.supported == named)
  }
  #endif

  @Test("Every supported level has a table of its own without a null entry")
  func tables() {
    #expect(KernelLevel.supported.first == .portable)
    #expect(KernelLevel.supported.contains(.best))
    #expect(!KernelLevel.supported.contains(Self.foreignLevel))
    for level in KernelLevel.supported {
      let table = kernelTable(level)
      #expect(table.level.rawValue == level.number, "\(level.id)")
      #expect([4, 8, 16].contains(table.lanes), "\(level.id)")
      withUnsafeBytes(of: table) { bytes in
        // Level and lanes take the place of one pointer; functions follow.
        let functions = bytes.bindMemory(to: UInt.self).dropFirst()
        #expect(!functions.isEmpty && functions.allSatisfy { $0 != 0 }, "\(level.id)")
      }
    }
  }

  @Test("A level that the machine lacks traps and says which there are")
  func unsupported() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ =
        TensorQuantizer(
          format: .mxfp4, shape: [32], kernels: .level(KernelLevelTests.foreignLevel)
        ).kernelLevel
    }
    #expect(
      reports(
        result, "this machine has no \(Self.foreignLevel.id) instructions; it has [\"portable\""))
  }

  @Test("The environment lowers the level in use and cannot raise it")
  func environment() async {
    await #expect(processExitsWith: .success) {
      expectLevel(.portable, wishing: "portable")
    }
    await #expect(processExitsWith: .success) {
      // The level below the highest; portable has none below it.
      let levels = KernelLevel.supported
      let lower = levels[max(0, levels.count - 2)]
      expectLevel(lower, wishing: lower.id)
    }
    await #expect(processExitsWith: .success) {
      expectLevel(KernelLevel.supported[KernelLevel.supported.count - 1], wishing: "fastest")
      guard KernelLevel.Request.ofProcess == .unknown("fastest") else { exit(1) }
    }
    await #expect(processExitsWith: .success) {
      expectLevel(
        KernelLevel.supported[KernelLevel.supported.count - 1],
        wishing: KernelLevelTests.foreignLevel.id)
    }
  }

  @Test("What the environment asks for can be told: ids in their own spelling, and nothing else")
  func requests() {
    for level in KernelLevel.allCases {
      let isSupported = KernelLevel.supported.contains(level)
      #expect(KernelLevel.Request(level.id) == (isSupported ? .level(level) : .unsupported(level)))
    }
    #expect(KernelLevel.Request(nil) == .none && KernelLevel.Request("") == .none)
    for text in ["AVX2", "Portable", "avx2 ", "best"] {
      #expect(KernelLevel.Request(text) == .unknown(text))
    }
  }
}

/// Ends the process with failure unless the library chooses a level under a value of the variable.
private func expectLevel(_ level: KernelLevel, wishing name: String) {
  setenv("BLOCKFORMATS_KERNEL_LEVEL", name, 1)
  let chosen = TensorQuantizer(format: .mxfp4, shape: [32]).kernelLevel
  guard chosen == level, KernelLevel.best == level else { exit(1) }
}

#if os(Linux)
/// What Linux calls the features that the processor and the system offer.
private let processorFlags: Set<String> = {
  let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
  let line = text.split(separator: "\n").first {
    $0.hasPrefix("flags") || $0.hasPrefix("Features")
  }
  return Set(line?.split(whereSeparator: \.isWhitespace).map(String.init) ?? [])
}()
#endif

extension KernelLevel {
  /// The features that the level's documentation names, as Linux calls them; `nil` on other
  /// architectures.
  fileprivate var linuxFlags: [String]? {
    #if arch(x86_64)
    let avx2 = ["avx2", "fma", "f16c", "bmi1", "bmi2"]
    let avx512 = avx2 + ["avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512vbmi"]
    let avx512Dot = avx512 + ["avx512_vnni", "avx512_bf16"]
    return switch self {
    case .portable: []
    case .avx2: avx2
    case .avxVNNI: avx2 + ["avx_vnni"]
    case .avx512: avx512
    case .avx512Dot: avx512Dot
    case .avx512AMX: avx512Dot + ["amx_tile", "amx_int8"]
    case .neon, .neonDot, .neonMatrix: nil
    }
    #elseif arch(arm64)
    return switch self {
    case .portable: []
    case .neon: ["asimd"]
    case .neonDot: ["asimd", "asimddp"]
    case .neonMatrix: ["asimd", "asimddp", "i8mm", "bf16"]
    case .avx2, .avxVNNI, .avx512, .avx512Dot, .avx512AMX: nil
    }
    #else
    return self == .portable ? [] : nil
    #endif
  }
}

/// The functions of a supported level.
func kernelTable(_ level: KernelLevel) -> BKKernels {
  bk_kernels(BKLevel(rawValue: numericCast(level.number))).pointee
}
