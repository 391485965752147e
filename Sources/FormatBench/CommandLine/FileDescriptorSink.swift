#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Writes to an open file descriptor of this process.
struct FileDescriptorSink: TextSink {
  let descriptor: Int32
  let terminalColumns: Int?

  /// Asks once whether the descriptor is a terminal and how wide it is; one that does not tell has
  /// 80 columns.
  ///
  /// - Parameter descriptor: open for writing; it stays open.
  init(_ descriptor: Int32) {
    self.descriptor = descriptor
    guard isatty(descriptor) == 1 else {
      terminalColumns = nil
      return
    }
    var size = winsize()
    let answered = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    terminalColumns = answered ? Int(size.ws_col) : TextLayout.pageWidth
  }

  func write(_ bytes: [UInt8]) throws(WriteFailure) {
    var start = 0
    while start < bytes.count {
      let written = bytes[start...].withUnsafeBytes { systemWrite(descriptor, $0) }
      if written >= 0 {
        start += written
        continue
      }
      switch errno {
      case EINTR: continue
      case EAGAIN: waitUntilWritable()
      case EPIPE: throw .readerGone
      case let code: throw .failed(String(cString: strerror(code)))
      }
    }
  }

  /// Blocks until a descriptor that someone else made non-blocking takes bytes again.
  private func waitUntilWritable() {
    var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    _ = poll(&request, 1, -1)
  }
}

/// The system call, whose name the method above hides.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
  write(descriptor, bytes.baseAddress, bytes.count)
}

/// Lets writing to a closed pipe, or beyond the size that files may have, fail with an error instead of
/// ending the process.
func ignoreWriteSignals() {
  for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
}

/// Lets this process keep as many files open as it may, up to 10,240: the parts of a checkpoint stay
/// open while they are read, and the limit to begin with is often 256 or 1,024.
func allowManyOpenFiles() {
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
func occupyStandardStreams() {
  for (number, mode) in [(0, O_WRONLY), (1, O_RDONLY), (2, O_RDONLY)]
  where fcntl(Int32(number), F_GETFD) < 0 {
    // The lowest free number is this one.
    _ = open("/dev/null", mode)
  }
}
