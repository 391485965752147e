import Foundation
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A signal that asks the process to end.
package enum StopSignal: CaseIterable, Sendable {
  /// Ctrl-C.
  case interrupt
  /// What `kill`, `timeout` and a shutdown send.
  case terminate
  /// The terminal closes.
  case hangUp

  /// The signal's number.
  package var number: Int32 {
    switch self {
    case .interrupt: SIGINT
    case .terminate: SIGTERM
    case .hangUp: SIGHUP
    }
  }

  /// The signal's name.
  package var name: String {
    switch self {
    case .interrupt: "SIGINT"
    case .terminate: "SIGTERM"
    case .hangUp: "SIGHUP"
    }
  }
}

/// What becomes of the signals that ask this process to end.
///
/// A thread waits for them, so that ordinary code answers, not a signal handler:
///
/// - While a command *defers* them, the first is noted and told, and the command ends where it can
///   do so with nothing lost. Later ones change nothing, whatever they are, until the process has
///   ended: `timeout` sends its signal twice, a save that has begun must end, and its status must be
///   told. Ctrl-\ (SIGQUIT) and SIGKILL end the process at once.
/// - Otherwise clean-ups run, and the process ends by the signal, as it would without this.
///
/// A command started by `nohup` stays deaf to SIGHUP.
package enum StopSignals {
  private struct State {
    /// Called at the first signal that is deferred; no signal is while this is `nil`.
    var tell: (@Sendable (StopSignal) -> Void)?
    var noted: StopSignal?
    var cleanUps: [@Sendable () -> Void] = []
  }

  private static let state = Mutex(State())

  /// The first signal that was deferred.
  package static var noted: StopSignal? { state.withLock(\.noted) }

  /// Defers signals while `body` runs; it asks `noted` whether to end.
  ///
  /// - Parameter tell: called once, on another thread, at the first signal.
  package static func deferred<Result, Failure: Error>(
    tell: @escaping @Sendable (StopSignal) -> Void, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    state.withLock { $0.tell = tell }
    defer { state.withLock { $0.tell = nil } }
    return try body()
  }

  /// Adds what is to be done before the process ends by a signal, such as removing temporary files.
  package static func beforeDeath(_ cleanUp: @escaping @Sendable () -> Void) {
    state.withLock { $0.cleanUps.append(cleanUp) }
  }

  /// Starts to listen, for as long as the process lives.
  ///
  /// To be called once, before there are other threads: they inherit that the signals are left to
  /// the thread that waits for them.
  package static func listen() {
    let heard = StopSignal.allCases.filter { $0 != .hangUp || !$0.isIgnored }
    var set = sigset_t()
    sigemptyset(&set)
    for heard in heard {
      // A shell without job control starts commands in the background with SIGINT ignored.
      signal(heard.number, SIG_DFL)
      sigaddset(&set, heard.number)
    }
    pthread_sigmask(SIG_BLOCK, &set, nil)
    let waited = set
    Thread.detachNewThread {
      var waited = waited
      while true {
        var number: Int32 = 0
        guard sigwait(&waited, &number) == 0 else { continue }
        if let signal = heard.first(where: { $0.number == number }) { receive(signal) }
      }
    }
  }

  private static func receive(_ signal: StopSignal) {
    // Told before anyone can see that it is noted, and end before it is told.
    let (isNoted, cleanUps) = state.withLock { state in
      if state.noted == nil, let tell = state.tell {
        tell(signal)
        state.noted = signal
      }
      return (state.noted != nil, state.cleanUps)
    }
    guard !isNoted else { return }
    for cleanUp in cleanUps { cleanUp() }
    signal.endProcess()
  }
}

extension StopSignal {
  /// Whether the process was started with the signal ignored.
  fileprivate var isIgnored: Bool {
    var action = sigaction()
    guard sigaction(number, nil, &action) == 0 else { return false }
    #if canImport(Darwin)
    let handler = action.__sigaction_u.__sa_handler
    #elseif canImport(Musl)
    let handler = action.__sa_handler.sa_handler
    #else
    let handler = action.__sigaction_handler.sa_handler
    #endif
    return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// Ends the process as the signal does by default, so that whoever waits for it sees the cause.
  fileprivate func endProcess() {
    signal(number, SIG_DFL)
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, number)
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
    raise(number)
  }
}
