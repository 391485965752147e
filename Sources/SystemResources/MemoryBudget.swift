import Foundation

/// How much memory this process may still take, by the tightest limit that the system tells.
///
/// Swift ends the program where an allocation fails, and Linux kills one that outgrows its control
/// group, so whoever is about to allocate an amount that input decides asks first:
///
///     try MemoryBudget.require(4 * elementCount, for: "reading \(path)")
///
/// Covered are, on Linux: the limits of the address space and of data (`ulimit -v`, `ulimit -d`), the
/// memory limits of the control groups that the process is in (versions 1 and 2, with all groups
/// above), strict accounting of committed memory, and the memory that is available without pushing
/// other programs out, free swap included. Elsewhere it is the machine's physical memory, whoever
/// uses it.
///
/// Of what a limit leaves, `headroom` is kept for code, stacks and small allocations, which nobody
/// asks for. An answer holds for the moment: other processes take memory as well.
package struct MemoryBudget: Hashable, Sendable {
  /// What limits the memory of a process.
  package enum Limit: Hashable, Sendable {
    /// `ulimit -v`, all that is mapped.
    case addressSpace
    /// `ulimit -d`, all that is private and writable.
    case data
    /// The control group of a container, of a service or of a job.
    case controlGroup
    /// Linux set to promise no more memory than it has.
    case commitment
    /// What the machine has.
    case machine
  }

  /// The bytes that the process may take besides those it has; never negative.
  package let availableByteCount: Int
  /// The limit that leaves the least.
  package let limit: Limit

  /// Asks the system.
  package static var current: MemoryBudget {
    MemoryBudget(
      systemRoot: "", physicalByteCount: Int(clamping: ProcessInfo.processInfo.physicalMemory),
      threadCount: ProcessInfo.processInfo.activeProcessorCount)
  }

  /// Amounts below this are not worth the questions: a process so close to its limit ends anyway.
  package static let smallestCheckedByteCount = 1 << 20

  /// Refuses an amount of memory that there is not.
  ///
  /// - Parameters:
  ///   - byteCount: All bytes that will be held at a time, besides those that are held already.
  ///   - purpose: What needs them, to begin a sentence with: "reading a.npy".
  package static func require(
    _ byteCount: Int, for purpose: @autoclosure () -> String
  ) throws(MemoryShortage) {
    guard byteCount >= smallestCheckedByteCount else { return }
    let budget = current
    guard byteCount > budget.availableByteCount else { return }
    throw MemoryShortage(purpose: purpose(), neededByteCount: byteCount, budget: budget)
  }

  /// Reads the files of Linux below a folder, which is empty but in tests.
  ///
  /// - Parameters:
  ///   - systemRoot: What `/proc` and `/sys` are in.
  ///   - physicalByteCount: The memory of the machine, for systems without those files.
  ///   - threadCount: The threads that will work at a time.
  init(systemRoot: String, physicalByteCount: Int, threadCount: Int) {
    let system = LinuxMemory(root: systemRoot)
    // A worker thread reserves a stack of 8 MiB, and glibc an arena of 64 MiB for it.
    let reservedForThreads = threadCount * (72 << 20)
    let amounts: [(limit: Limit, left: Int?)] = [
      (.addressSpace, system.addressSpaceLeft.map { $0 - min(reservedForThreads, $0 / 2) }),
      (.data, system.dataLeft.map { $0 - min(reservedForThreads, $0 / 2) }),
      (.controlGroup, system.controlGroupLeft),
      (.commitment, system.commitmentLeft),
      (.machine, system.available ?? physicalByteCount),
    ]
    var least = (limit: Limit.machine, left: Int.max)
    for case (let limit, let left?) in amounts where left < least.left { least = (limit, left) }
    limit = least.limit
    availableByteCount = max(0, least.left - Self.headroom)
  }

  /// The bytes that are kept back of what a limit leaves.
  static let headroom = 16 << 20
}

/// More memory is needed than there is.
package struct MemoryShortage: Error, Hashable, Sendable, CustomStringConvertible {
  /// What needs the memory, to begin a sentence with.
  package let purpose: String
  /// The bytes that are needed.
  package let neededByteCount: Int
  /// What there is.
  package let budget: MemoryBudget

  /// Describes a shortage.
  package init(purpose: String, neededByteCount: Int, budget: MemoryBudget) {
    self.purpose = purpose
    self.neededByteCount = neededByteCount
    self.budget = budget
  }

  /// One line with both amounts and the limit.
  package var description: String { "\(purpose) needs \(amounts)" }

  /// Both amounts and the limit: "3072 MiB of memory, and 1930 MiB are left of …".
  package var amounts: String {
    let needed = Self.text(neededByteCount, rounding: .up)
    let available = Self.text(budget.availableByteCount, rounding: .down)
    let source =
      switch budget.limit {
      case .addressSpace: "of the address space that 'ulimit -v' allows"
      case .data: "of the data that 'ulimit -d' allows"
      case .controlGroup: "of what the control group allows"
      case .commitment: "of what the system commits itself to"
      case .machine: "on this machine"
      }
    return "\(needed) of memory, and \(available) are left \(source)"
  }

  /// An amount in whole MiB, from 10 GiB on in GiB, from 10 TiB on in TiB.
  ///
  /// What is needed is rounded up and what there is down, so that the text shows which is less.
  private static func text(_ byteCount: Int, rounding rule: FloatingPointRoundingRule) -> String {
    let (shift, unit) =
      switch byteCount {
      case ..<(10 << 30): (20, "MiB")
      case ..<(10 << 40): (30, "GiB")
      default: (40, "TiB")
      }
    let amount = (Double(byteCount) / Double(1 << shift)).rounded(rule)
    return "\(Int(amount)) \(unit)"
  }
}
