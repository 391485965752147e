import BlockFormats
import CommandLineToolkit
import Testing

@testable import FormatBench

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

@Suite("Environment variables")
struct EnvironmentVariableTests {
  private func failure(_ variables: [String: String]) -> CommandError? {
    do {
      try EnvironmentVariables.check(variables)
      return nil
    } catch {
      return error
    }
  }

  @Test("A level that there is not is refused, with those that there are")
  func levels() {
    let name = "BLOCKFORMATS_KERNEL_LEVEL"
    for level in KernelLevel.supported { #expect(failure([name: level.id]) == nil) }
    #expect(failure([name: ""]) == nil && failure([:]) == nil)
    for text in ["foo", "AVX2", " avx2", "reference"] {
      let error = failure([name: text])
      #expect(error?.exitStatus == .usage)
      let message = "\(name) in the environment: unknown kernel level '\(text)'"
      #expect(error?.message.hasPrefix(message) == true)
      let levels = KernelLevel.supported.map(\.id).joined(separator: ", ")
      #expect(error?.hint == "this machine has \(levels)")
    }
    #expect(failure([name: "AVX2"])?.message.contains("did you mean 'avx2'?") == true)
    let lacking = KernelLevel.allCases.filter { !KernelLevel.supported.contains($0) }
    for level in lacking {
      let error = failure([name: level.id])
      #expect(error?.exitStatus == .usage)
      #expect(error?.message.contains("does not support kernel level '\(level.id)'") == true)
      #expect(error?.hint?.contains("portable") == true)
    }
    #expect(!lacking.isEmpty)
  }

  @Test("A width that is no number is refused; 0 and the empty text are no width")
  func columns() {
    for text in ["", "0", "80"] { #expect(failure(["COLUMNS": text]) == nil) }
    for text in ["wide", "-3", "80.5"] {
      #expect(
        failure(["COLUMNS": text])
          == .usage("COLUMNS in the environment: '\(text)' is not an integer from 0 up"))
    }
  }

  @Test("The program refuses before it does anything")
  func program() async {
    let result = await #expect(
      processExitsWith: .exitCode(2), observing: [\.standardErrorContent, \.standardOutputContent]
    ) {
      setenv("BLOCKFORMATS_KERNEL_LEVEL", "fast", 1)
      Fmtbench.main(.unknown)
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("unknown kernel level 'fast'"), "\(text)")
  }
}
