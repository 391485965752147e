import Foundation
import Testing

@testable import SystemResources

@Suite("The memory that is left")
struct MemoryBudgetTests {
  private static let pageByteCount = sysconf(Int32(_SC_PAGESIZE))

  /// A machine whose `/proc` and `/sys` hold the given files.
  private final class Machine {
    let root = FileManager.default.temporaryDirectory
      .appendingPathComponent("SystemResourcesTests-\(UUID().uuidString)")

    init(_ files: [String: String]) throws {
      for (path, text) in files {
        let file = root.appendingPathComponent(path)
        try FileManager.default.createDirectory(
          at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try text.write(to: file, atomically: false, encoding: .utf8)
      }
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    func budget(threads: Int = 1) -> MemoryBudget {
      MemoryBudget(
        systemRoot: root.path, physicalByteCount: 1 << 40, threadCount: threads)
    }
  }

  private static let gibibyte = 1 << 30
  private static let meminfo = """
    MemTotal:       33554432 kB
    MemAvailable:   16777216 kB
    SwapFree:        1048576 kB
    CommitLimit:     8388608 kB
    Committed_AS:    2097152 kB
    """

  private static func limits(addressSpace: String = "unlimited", data: String = "unlimited")
    -> [String: String]
  {
    [
      "proc/self/limits": """
      Limit                     Soft Limit           Hard Limit           Units
      Max data size             \(data)            unlimited            bytes
      Max address space         \(addressSpace)            unlimited            bytes
      """,
      // 512 MiB are mapped, 256 MiB of them private and writable.
      "proc/self/statm":
        "\((1 << 29) / pageByteCount) 900 700 5 0 \((1 << 28) / pageByteCount) 0\n",
    ]
  }

  @Test("A system that tells nothing has its physical memory")
  func unknownSystem() throws {
    let budget = try Machine([:]).budget()
    #expect(budget.limit == .machine)
    #expect(budget.availableByteCount == 1 << 40 - MemoryBudget.headroom)
  }

  @Test("What is available on a machine includes free swap and not what others use")
  func machine() throws {
    let budget = try Machine(["proc/meminfo": Self.meminfo]).budget()
    #expect(budget.limit == .machine)
    #expect(budget.availableByteCount == 17 * Self.gibibyte - MemoryBudget.headroom)
  }

  @Test("Limits of address space and data leave what is not mapped yet, less the threads' share")
  func resourceLimits() throws {
    let space = try Machine(Self.limits(addressSpace: "\(4 * Self.gibibyte)")).budget(threads: 2)
    #expect(space.limit == .addressSpace)
    #expect(
      space.availableByteCount == 7 * Self.gibibyte / 2 - 144 << 20 - MemoryBudget.headroom)
    let data = try Machine(Self.limits(data: "\(4 * Self.gibibyte)")).budget(threads: 1000)
    #expect(data.limit == .data)
    #expect(data.availableByteCount == 15 * Self.gibibyte / 8 - MemoryBudget.headroom)
    let unlimited = try Machine(Self.limits()).budget()
    #expect(unlimited.limit == .machine)
  }

  @Test("Strict accounting leaves what is not promised; other modes promise anything")
  func commitment() throws {
    for (mode, limit) in [("0", .machine), ("1", .machine), ("2", MemoryBudget.Limit.commitment)] {
      let budget = try Machine([
        "proc/meminfo": Self.meminfo, "proc/sys/vm/overcommit_memory": mode + "\n",
      ]).budget()
      #expect(budget.limit == limit)
      guard limit == .commitment else { continue }
      #expect(budget.availableByteCount == 6 * Self.gibibyte - MemoryBudget.headroom)
    }
  }

  @Test("The tightest of a process's control groups counts, without its cached files")
  func secondVersion() throws {
    let mount = "25 1 0:22 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
    let files = [
      "proc/self/cgroup": "0::/user.slice/job\n", "proc/self/mountinfo": mount,
      "sys/fs/cgroup/user.slice/job/memory.max": "max\n",
      "sys/fs/cgroup/user.slice/job/memory.current": "1000\n",
      "sys/fs/cgroup/user.slice/memory.max": "\(3 * Self.gibibyte)\n",
      "sys/fs/cgroup/user.slice/memory.current": "\(2 * Self.gibibyte)\n",
      "sys/fs/cgroup/user.slice/memory.stat":
        "anon 5\nfile 99\ninactive_file \(Self.gibibyte / 4)\nactive_file \(Self.gibibyte / 4)\n",
    ]
    let budget = try Machine(files).budget()
    #expect(budget.limit == .controlGroup)
    #expect(budget.availableByteCount == 3 * Self.gibibyte / 2 - MemoryBudget.headroom)

    var swapping = files
    swapping["proc/meminfo"] = Self.meminfo
    swapping["sys/fs/cgroup/user.slice/memory.swap.max"] = "max\n"
    #expect(try Machine(swapping).budget() == budget)
    swapping["sys/fs/cgroup/user.slice/memory.swap.max"] = "\(2 * Self.gibibyte)\n"
    swapping["sys/fs/cgroup/user.slice/memory.swap.current"] = "0\n"
    #expect(
      try Machine(swapping).budget().availableByteCount
        == budget.availableByteCount + Self.gibibyte)
  }

  @Test("Control groups of version 1 count too, mounted from within their own path or as a whole")
  func firstVersion() throws {
    for (root, folder) in [
      ("/", "sys/fs/cgroup/memory/docker/abc"), ("/docker/abc", "sys/fs/cgroup/memory"),
      ("/another", "sys/fs/cgroup/memory"),
    ] {
      let budget = try Machine([
        "proc/self/cgroup": "5:cpu:/x\n4:memory:/docker/abc\n0::/\n",
        "proc/self/mountinfo":
          "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
          + "35 31 0:32 \(root) /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n",
        "\(folder)/memory.limit_in_bytes": "\(Self.gibibyte)\n",
        "\(folder)/memory.usage_in_bytes": "\(Self.gibibyte / 2)\n",
      ]).budget()
      #expect(budget.limit == .controlGroup)
      #expect(budget.availableByteCount == Self.gibibyte / 2 - MemoryBudget.headroom)
    }
  }

  @Test("A group that uses more than its limit leaves nothing")
  func exhausted() throws {
    let budget = try Machine([
      "proc/self/cgroup": "0::/\n",
      "proc/self/mountinfo": "41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
      "sys/fs/cgroup/memory.max": "1000\n", "sys/fs/cgroup/memory.current": "5000\n",
    ]).budget()
    #expect(budget.availableByteCount == 0)
  }

  @Test("A shortage says in one line what was needed and what there is")
  func shortage() throws {
    let budget = try Machine(Self.limits(addressSpace: "\(2 * Self.gibibyte)")).budget()
    #expect(
      MemoryShortage(
        purpose: "reading a.npy", neededByteCount: 3 * Self.gibibyte + 1, budget: budget
      ).description
        == "reading a.npy needs 3073 MiB of memory, and 1448 MiB are left of the address space "
        + "that 'ulimit -v' allows")
    #expect(
      MemoryShortage(purpose: "a", neededByteCount: 5 << 40, budget: budget).amounts
        .hasPrefix("5120 GiB of memory"))
  }

  @Test("This process has some memory left, and not all that can be counted")
  func thisProcess() throws {
    try MemoryBudget.require(1 << 20, for: "a test")
    #expect(throws: MemoryShortage.self) { try MemoryBudget.require(.max, for: "a test") }
    #expect(MemoryBudget.current.availableByteCount > 0)
  }
}
