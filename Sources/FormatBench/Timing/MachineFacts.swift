import Foundation

#if canImport(Darwin)
import Darwin
#endif

/// What a measured rate depends on besides this program.
struct MachineFacts: Sendable {
  /// The processor's name; nil where the system does not tell.
  var processor: String?
  /// The bytes of second-level cache that a core may count on; nil where the system does not tell.
  var l2ByteCount: Int?
  /// The bytes of the largest cache; nil where the system does not tell.
  var lastLevelByteCount: Int?
  /// The bytes of memory.
  var memoryByteCount: Int

  /// The machine this program runs on.
  static var current: MachineFacts {
    let memory = Int(clamping: ProcessInfo.processInfo.physicalMemory)
    #if canImport(Darwin)
    // Cores of a cluster share their second level.
    let sharing = max(1, integer("hw.perflevel0.cpusperl2") ?? 1)
    let l2 = (integer("hw.perflevel0.l2cachesize") ?? integer("hw.l2cachesize")).map {
      $0 / sharing
    }
    return MachineFacts(
      processor: text("machdep.cpu.brand_string"), l2ByteCount: l2,
      lastLevelByteCount: integer("hw.l3cachesize"), memoryByteCount: memory)
    #else
    let caches = dataCaches(in: "/sys/devices/system/cpu/cpu0/cache")
    return MachineFacts(
      processor: modelName(inProcessorList: contents("/proc/cpuinfo") ?? ""),
      l2ByteCount: caches.first { $0.level == 2 }?.byteCount,
      lastLevelByteCount: caches.max { $0.level < $1.level }?.byteCount, memoryByteCount: memory)
    #endif
  }

  /// The name of the first processor in the text of Linux's `cpuinfo`.
  static func modelName(inProcessorList text: String) -> String? {
    for line in text.split(separator: "\n") where line.hasPrefix("model name") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let name = line[line.index(after: colon)...].drop { $0 == " " }
      if !name.isEmpty { return String(name) }
    }
    return nil
  }

  /// The caches for data that a folder describes as Linux does: `index0/level`, `type`, `size`.
  static func dataCaches(in folder: String) -> [(level: Int, byteCount: Int)] {
    (0..<16).compactMap { index in
      func line(_ name: String) -> String? {
        contents("\(folder)/index\(index)/\(name)")?.split(separator: "\n").first.map(String.init)
      }
      guard let type = line("type"), type != "Instruction",
        let level = line("level").flatMap(Int.init),
        let byteCount = line("size").flatMap(byteCount(ofSize:))
      else { return nil }
      return (level, byteCount)
    }
  }

  /// The bytes of a size such as `1024K` or `32M`.
  static func byteCount(ofSize text: String) -> Int? {
    let digits = text.prefix { $0.isNumber }
    guard let count = Int(digits), count > 0 else { return nil }
    switch text.dropFirst(digits.count) {
    case "": return count
    case "K": return count << 10
    case "M": return count << 20
    default: return nil
    }
  }

  private static func contents(_ path: String) -> String? {
    try? String(contentsOfFile: path, encoding: .utf8)
  }

  #if canImport(Darwin)
  private static func integer(_ name: String) -> Int? {
    var value: Int64 = 0
    var size = MemoryLayout<Int64>.size
    guard sysctlbyname(name, &value, &size, nil, 0) == 0, value > 0 else { return nil }
    return Int(value)
  }

  private static func text(_ name: String) -> String? {
    var size = 0
    guard sysctlbyname(name, nil, &size, nil, 0) == 0, size > 1 else { return nil }
    var bytes = [UInt8](repeating: 0, count: size)
    guard sysctlbyname(name, &bytes, &size, nil, 0) == 0 else { return nil }
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
  #endif
}
