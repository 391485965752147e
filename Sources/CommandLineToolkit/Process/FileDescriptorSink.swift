#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Writes to an open file descriptor of this process.
package struct FileDescriptorSink: TextSink {
  package let descriptor: Int32
  package let terminalColumns: Int?

  /// Asks once whether the descriptor is a terminal and how wide it is; one that does not tell has
  /// 80 columns.
  ///
  /// - Parameter descriptor: open for writing; it stays open.
  package init(_ descriptor: Int32) {
    self.descriptor = descriptor
    guard isatty(descriptor) == 1 else {
      terminalColumns = nil
      return
    }
    var size = winsize()
    let answered = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    terminalColumns = answered ? Int(size.ws_col) : TextLayout.pageWidth
  }

  package func write(_ bytes: [UInt8]) throws(WriteFailure) {
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
