import FormatMetrics
import Testing

@Suite("Names of distributions")
struct DistributionIDTests {
  @Test("The named distributions have bare names, in lower snake case")
  func names() {
    #expect(
      Distribution.allNamed.map(\.id) == [
        "bdr", "uniform", "normal", "laplace", "student_t", "log_normal", "outlier_channels",
      ])
  }

  @Test("An id gives its distribution back")
  func roundTrip() {
    let others: [Distribution] = [
      .studentT(degreesOfFreedom: 3), .logNormal(sigma: 0.25),
      .outlierChannels(fraction: 0.1, scale: 12.5),
    ]
    for distribution in Distribution.allNamed + others {
      #expect(Distribution(id: distribution.id) == distribution)
    }
    #expect(others[0].id == "student_t(nu=3)")
    #expect(others[2].id == "outlier_channels(fraction=0.1,scale=12.5)")
  }

  @Test("Parameters may come in any order, and those left out keep their standard value")
  func parameters() {
    #expect(
      Distribution(id: "outlier_channels(scale=2,fraction=0.5)")
        == .outlierChannels(fraction: 0.5, scale: 2))
    #expect(
      Distribution(id: "outlier_channels(scale=2)")
        == .outlierChannels(fraction: 1.0 / 64, scale: 2))
  }

  @Test("Unknown names, and parameters unknown, repeated, malformed or out of range, are refused")
  func refused() {
    let ids = [
      "", "gauss", "Normal", "normal ", "normal(", "normal()", "normal(sigma=1)", "student_t(nu=0)",
      "student_t(nu=2.5)", "student_t(nu=3", "student_t(nu=3)x", "student_t(nu=3,nu=3)",
      "student_t(nu=3,)", "student_t(nu)", "student_t(nu==3)", "student_t(nu=1001)",
      "log_normal(sigma=0)", "log_normal(sigma=nan)", "log_normal(sigma=9)",
      "outlier_channels(fraction=1.5)", "outlier_channels(scale=inf)", "outlier_channels(scale=-1)",
    ]
    for id in ids {
      #expect(Distribution(id: id) == nil, "\(id)")
    }
  }
}
