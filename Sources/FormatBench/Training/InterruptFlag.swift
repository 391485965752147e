import Dispatch
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Notes that the user asks for an end (Ctrl-C, or a termination signal), so that a run can be
/// saved first; asked a second time, the process ends at once.
final class InterruptFlag: Sendable {
  private let isRaised = Atomic(false)
  // Sources are made and cancelled by one thread; the type is Sendable on Darwin only.
  nonisolated(unsafe) private let sources: [any DispatchSourceSignal]

  /// Starts to listen.
  init() {
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      return DispatchSource.makeSignalSource(signal: number, queue: .global())
    }
    for source in sources {
      source.setEventHandler { [weak self] in self?.raise() }
      source.resume()
    }
  }

  deinit {
    for source in sources { source.cancel() }
    for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
  }

  /// Whether an end was asked for.
  var value: Bool { isRaised.load(ordering: .relaxed) }

  private func raise() {
    if isRaised.exchange(true, ordering: .relaxed) { _exit(130) }
  }
}
