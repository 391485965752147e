import CBlockKernels
import Foundation
import Testing

@testable import BlockFormats

@Suite("Inputs of the emulation script")
struct EmulationTableTests {
  @Test("The driver's table is what the library hands to its kernels")
  func tableIsCurrent() throws {
    let text = EmulationTable.text
    if EmulationFiles.isUpdating {
      try text.write(to: EmulationFiles.table, atomically: true, encoding: .utf8)
    }
    let stored = try String(contentsOf: EmulationFiles.table, encoding: .utf8)
    #expect(stored == text, "run Tests/Emulation/run-neon.sh --update")
  }

  @Test("Every element of the table has a row for every rounding, a table for those to nearest")
  func tableIsComplete() {
    for (index, format) in EmulationTable.elements.enumerated() {
      let roundings = EmulationTable.rows.filter { $0.index == index }
      #expect(
        Set(roundings.map(\.element.rounding.rawValue)).count == (format.isTable ? 4 : 9),
        "\(format.name)")
    }
  }
}
