import Foundation

/// What the files of Linux say about the memory of this process; nil where they are silent, as on
/// other systems.
///
/// Sources: the manual pages proc(5), cgroups(7) and getrlimit(2), and the kernel's documentation of
/// control groups, version 1 and 2.
struct LinuxMemory {
  /// What `/proc` and `/sys` are in: empty but in tests.
  let root: String

  /// The bytes that may still be mapped.
  var addressSpaceLeft: Int? { left(limit: "Max address space", usedPages: 0) }

  /// The bytes of private writable memory that may still be mapped.
  var dataLeft: Int? { left(limit: "Max data size", usedPages: 5) }

  /// The bytes that programs can take without pushing each other out, and free swap.
  var available: Int? {
    let table = meminfo
    return table["MemAvailable"].map { $0 + (table["SwapFree"] ?? 0) }
  }

  /// The bytes that may still be promised, where Linux keeps its promises (mode 2).
  var commitmentLeft: Int? {
    guard number(in: "/proc/sys/vm/overcommit_memory") == 2 else { return nil }
    let table = meminfo
    guard let limit = table["CommitLimit"], let used = table["Committed_AS"] else { return nil }
    return limit - used
  }

  /// The bytes that the tightest of the process's control groups leaves.
  var controlGroupLeft: Int? {
    guard let groups = text("/proc/self/cgroup"), let mounts = text("/proc/self/mountinfo") else {
      return nil
    }
    var least: Int?
    for line in groups.split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let version: Version
      if fields[0] == "0", fields[1].isEmpty {
        version = .two
      } else if fields[1].split(separator: ",").contains("memory") {
        version = .one
      } else {
        continue
      }
      for folder in version.folders(of: String(fields[2]), mounts: mounts) {
        guard let left = left(in: folder, version) else { continue }
        least = min(least ?? left, left)
      }
    }
    return least
  }

  // MARK: - Control groups

  private enum Version {
    case one
    case two

    var names: (limit: String, usage: String, inactive: String, active: String) {
      switch self {
      case .one:
        (
          "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file",
          "total_active_file"
        )
      case .two: ("memory.max", "memory.current", "inactive_file", "active_file")
      }
    }

    /// The folders of a group and of all groups above it that are visible here.
    func folders(of group: String, mounts: String) -> [String] {
      for line in mounts.split(separator: "\n") {
        let halves = line.split(separator: " - ", maxSplits: 1)
        guard halves.count == 2 else { continue }
        let mount = halves[0].split(separator: " ")
        let kind = halves[1].split(separator: " ")
        guard mount.count >= 5, kind.count >= 3 else { continue }
        let isMount =
          switch self {
          case .one: kind[0] == "cgroup" && kind[2].split(separator: ",").contains("memory")
          case .two: kind[0] == "cgroup2"
          }
        guard isMount else { continue }
        // In a container, the group's path may be that of the host, above what is mounted.
        let mountRoot = mount[3] == "/" ? "" : String(mount[3])
        let isBelow = group == mountRoot || group.hasPrefix(mountRoot + "/")
        var parts = (isBelow ? String(group.dropFirst(mountRoot.count)) : "").split(separator: "/")
        var folders: [String] = []
        while true {
          folders.append(([String(mount[4])] + parts.map(String.init)).joined(separator: "/"))
          if parts.popLast() == nil { return folders }
        }
      }
      return []
    }
  }

  private func left(in folder: String, _ version: Version) -> Int? {
    let names = version.names
    guard let limit = number(in: "\(folder)/\(names.limit)"),
      let usage = number(in: "\(folder)/\(names.usage)")
    else { return nil }
    // The usage counts cached files, which the group gives up when memory is short.
    let statistics = table("\(folder)/memory.stat", separator: " ")
    let cached = (statistics[names.inactive] ?? 0) + (statistics[names.active] ?? 0)
    var left = limit - usage + min(cached, usage)
    if version == .two, let swap = number(in: "\(folder)/memory.swap.max"),
      let used = number(in: "\(folder)/memory.swap.current")
    {
      left += max(0, min(swap - used, meminfo["SwapFree"] ?? 0))
    }
    return left
  }

  // MARK: - Files

  /// A resource limit less what counts against it, which is a number of pages in `statm`.
  private func left(limit name: String, usedPages index: Int) -> Int? {
    guard let limits = text("/proc/self/limits"), let pages = text("/proc/self/statm"),
      let line = limits.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
      let limit = line.dropFirst(name.count).split(separator: " ").first.flatMap({ Int($0) })
    else { return nil }
    let counts = pages.split(separator: " ")
    guard counts.indices.contains(index), let used = Int(counts[index]) else { return nil }
    return limit - used * Int(sysconf(Int32(_SC_PAGESIZE)))
  }

  /// The bytes by name, of lines such as `MemAvailable:   1024 kB`.
  private var meminfo: [String: Int] {
    table("/proc/meminfo", separator: ":").mapValues { $0 << 10 }
  }

  private func table(_ path: String, separator: Character) -> [String: Int] {
    var result: [String: Int] = [:]
    for line in (text(path) ?? "").split(separator: "\n") {
      let halves = line.split(separator: separator, maxSplits: 1)
      guard halves.count == 2 else { continue }
      result[String(halves[0])] = halves[1].split(separator: " ").first.flatMap { Int($0) }
    }
    return result
  }

  /// The number that a file holds; nil for `max`, which is none.
  private func number(in path: String) -> Int? {
    text(path)?.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
  }

  private func text(_ path: String) -> String? {
    try? String(contentsOfFile: root + path, encoding: .utf8)
  }
}
