#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Lets writing to a closed pipe, or beyond the size that files may have, fail with an error instead
/// of ending the process.
package func ignoreWriteSignals() {
  for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
}

/// Lets this process keep as many files open as it may, up to 10,240, for commands that read many at
/// once: the limit to begin with is often 256 or 1,024.
package func allowManyOpenFiles() {
  #if canImport(Glibc)
  let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
  #else
  let resource = RLIMIT_NOFILE
  #endif
  var limit = rlimit()
  guard getrlimit(resource, &limit) == 0 else { return }
  limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 10_240))
  _ = setrlimit(resource, &limit)
}

/// Keeps the numbers of standard streams that were closed from files that are opened later, which
/// would receive what is meant for the streams; using these fails as if they were closed.
package func occupyStandardStreams() {
  for (number, mode) in [(0, O_WRONLY), (1, O_RDONLY), (2, O_RDONLY)]
  where fcntl(Int32(number), F_GETFD) < 0 {
    // The lowest free number is this one.
    _ = open("/dev/null", mode)
  }
}
