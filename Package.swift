// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
  name: "BlockFormats",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "BlockFormats", targets: ["BlockFormats"]),
    .library(name: "FormatMetrics", targets: ["FormatMetrics"]),
    .library(name: "LowPrecisionTraining", targets: ["LowPrecisionTraining"]),
    .library(name: "QuantizedLinearAlgebra", targets: ["QuantizedLinearAlgebra"]),
    .library(name: "TensorFiles", targets: ["TensorFiles"]),
    .library(name: "TrainingRecipes", targets: ["TrainingRecipes"]),
    .executable(name: "fmtbench", targets: ["fmtbench"]),
  ],
  targets: [
    // MARK: - Public API
    .target(
      name: "BlockFormats", dependencies: ["CallerChecks", "CBlockKernels"],
      swiftSettings: settings),
    .target(
      name: "FormatMetrics", dependencies: ["BlockFormats", "CallerChecks"],
      swiftSettings: settings),
    .target(
      name: "LowPrecisionTraining",
      dependencies: [
        "BlockFormats", "CallerChecks", "CBlockKernels", "CTrainingKernels", "FormatMetrics",
        "QuantizedLinearAlgebra", "SystemResources", "TensorFiles", "TrainingRecipes",
      ],
      swiftSettings: settings),
    .target(
      name: "QuantizedLinearAlgebra",
      dependencies: ["BlockFormats", "CallerChecks", "CBlockKernels", "CProductKernels"],
      swiftSettings: settings),
    .target(
      name: "TensorFiles", dependencies: ["CallerChecks", "SystemResources"],
      swiftSettings: settings),
    .target(
      name: "TrainingRecipes",
      dependencies: ["BlockFormats", "CallerChecks", "QuantizedLinearAlgebra"],
      swiftSettings: settings),

    // MARK: - Implementation details
    .target(name: "CallerChecks", swiftSettings: settings),
    .target(name: "SystemResources", swiftSettings: settings),
    .target(name: "CBlockKernels"),
    .target(name: "CProductKernels", dependencies: ["CBlockKernels"]),
    .target(name: "CTrainingKernels", dependencies: ["CBlockKernels"]),

    // MARK: - Command line
    .target(name: "CMultiplyLimit"),
    .target(name: "CStreamLimit"),
    .target(
      name: "FormatBench",
      dependencies: [
        "BlockFormats", "CallerChecks", "CMultiplyLimit", "CStreamLimit", "FormatMetrics",
        "LowPrecisionTraining", "QuantizedLinearAlgebra", "SystemResources", "TensorFiles",
        "TrainingRecipes",
      ],
      swiftSettings: settings),
    .plugin(
      name: "BuildStampPlugin", capability: .buildTool(), path: "Sources/BuildStampPlugin",
      exclude: ["stamp.sh"]),
    .executableTarget(
      name: "fmtbench", dependencies: ["FormatBench"], swiftSettings: settings,
      plugins: ["BuildStampPlugin"]),

    // MARK: - Tests
    .executableTarget(
      name: "ReadmeExample", dependencies: ["FormatMetrics", "QuantizedLinearAlgebra"],
      path: "Tests/ReadmeExample", swiftSettings: settings),
    .target(
      name: "FormatTestSupport", path: "Tests/FormatTestSupport", swiftSettings: settings),
    .testTarget(
      name: "BlockFormatsTests",
      dependencies: ["BlockFormats", "CBlockKernels", "FormatTestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "FormatMetricsTests",
      dependencies: ["FormatMetrics", "BlockFormats", "FormatTestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "LowPrecisionTrainingTests",
      dependencies: [
        "LowPrecisionTraining", "QuantizedLinearAlgebra", "BlockFormats", "CTrainingKernels",
        "TensorFiles", "TrainingRecipes", "FormatTestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "QuantizedLinearAlgebraTests",
      dependencies: [
        "QuantizedLinearAlgebra", "BlockFormats", "CBlockKernels", "CProductKernels",
        "FormatTestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "SystemResourcesTests", dependencies: ["SystemResources"], swiftSettings: settings),
    .testTarget(
      name: "TensorFilesTests", dependencies: ["TensorFiles", "FormatTestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "TrainingRecipesTests",
      dependencies: ["TrainingRecipes", "BlockFormats", "FormatTestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "FormatBenchTests",
      dependencies: [
        "FormatBench", "BlockFormats", "FormatMetrics", "LowPrecisionTraining",
        "QuantizedLinearAlgebra", "TensorFiles", "TrainingRecipes", "fmtbench",
        "FormatTestSupport",
      ],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
