// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
  name: "BlockFormats",
  // Spans of arrays need macOS 26; for older ones they are marked unavailable.
  platforms: [.macOS(.v26)],
  products: [
    .library(name: "BlockFormats", targets: ["BlockFormats"]),
    .library(name: "FormatMetrics", targets: ["FormatMetrics"]),
    .library(name: "LowPrecisionTraining", targets: ["LowPrecisionTraining"]),
    .library(name: "QuantizedCheckpoints", targets: ["QuantizedCheckpoints"]),
    .library(name: "QuantizedLinearAlgebra", targets: ["QuantizedLinearAlgebra"]),
    .library(name: "TensorFiles", targets: ["TensorFiles"]),
    .library(name: "TrainingRecipes", targets: ["TrainingRecipes"]),
    .executable(name: "fmtbench", targets: ["fmtbench"]),
  ],
  targets: [
    // MARK: - Public API
    .target(
      name: "BlockFormats",
      dependencies: ["CallerChecks", "CBlockKernels", "CKernelLevels", "NumericSupport"],
      swiftSettings: settings),
    .target(
      name: "FormatMetrics", dependencies: ["BlockFormats", "CallerChecks", "NumericSupport"],
      swiftSettings: settings),
    .target(
      name: "LowPrecisionTraining",
      dependencies: [
        "BlockFormats", "CallerChecks", "CBlockKernels", "CKernelLevels", "CTrainingKernels",
        "FormatMetrics", "QuantizedLinearAlgebra", "StrictJSON", "SystemResources", "TensorFiles",
        "TrainingRecipes", "UntrustedText",
      ],
      swiftSettings: settings),
    .target(
      name: "QuantizedCheckpoints",
      dependencies: [
        "BlockFormats", "CallerChecks", "StrictJSON", "SystemResources", "TensorFiles",
        "UntrustedText",
      ],
      swiftSettings: settings),
    .target(
      name: "QuantizedLinearAlgebra",
      dependencies: [
        "BlockFormats", "CallerChecks", "CBlockKernels", "CKernelLevels", "CProductKernels",
        "NumericSupport",
      ],
      swiftSettings: settings),
    .target(
      name: "TensorFiles",
      dependencies: ["CallerChecks", "StrictJSON", "SystemResources", "UntrustedText"],
      swiftSettings: settings),
    .target(
      name: "TrainingRecipes",
      dependencies: [
        "BlockFormats", "CallerChecks", "QuantizedLinearAlgebra", "StrictJSON", "UntrustedText",
      ],
      swiftSettings: settings),

    // MARK: - Implementation details
    .target(name: "CallerChecks", swiftSettings: settings),
    .target(name: "NumericSupport", dependencies: ["CallerChecks"], swiftSettings: settings),
    .target(name: "StrictJSON", dependencies: ["UntrustedText"], swiftSettings: settings),
    .target(name: "SystemResources", swiftSettings: settings),
    .target(name: "UntrustedText", swiftSettings: settings),
    .target(name: "CKernelLevels"),
    .target(name: "CBlockKernels", dependencies: ["CKernelLevels"]),
    .target(name: "CProductKernels", dependencies: ["CKernelLevels"]),
    .target(name: "CTrainingKernels", dependencies: ["CKernelLevels"]),

    // MARK: - Command line
    .target(
      name: "CommandLineToolkit", dependencies: ["CallerChecks", "StrictJSON", "UntrustedText"],
      swiftSettings: settings),
    .target(name: "CMultiplyLimit", dependencies: ["CKernelLevels"]),
    .target(name: "CStreamLimit", dependencies: ["CKernelLevels"]),
    .target(
      name: "FormatBench",
      dependencies: [
        "BlockFormats", "CallerChecks", "CKernelLevels", "CMultiplyLimit", "CommandLineToolkit",
        "CStreamLimit", "FormatMetrics", "LowPrecisionTraining", "QuantizedCheckpoints",
        "QuantizedLinearAlgebra", "SystemResources", "TensorFiles", "TrainingRecipes",
        "UntrustedText",
      ],
      swiftSettings: settings),
    .plugin(
      name: "BuildStampPlugin", capability: .buildTool(), path: "Sources/BuildStampPlugin",
      exclude: ["stamp.sh"]),
    .executableTarget(
      name: "fmtbench", dependencies: ["CommandLineToolkit", "FormatBench"],
      swiftSettings: settings,
      plugins: ["BuildStampPlugin"]),

    // MARK: - Tests
    .executableTarget(
      name: "ReadmeExample", dependencies: ["FormatMetrics", "QuantizedLinearAlgebra"],
      path: "Tests/ReadmeExample", swiftSettings: settings),
    .target(
      name: "FormatTestSupport", path: "Tests/FormatTestSupport", swiftSettings: settings),
    .target(
      name: "CommandLineTestSupport", dependencies: ["CommandLineToolkit"],
      path: "Tests/CommandLineTestSupport", swiftSettings: settings),
    .testTarget(
      name: "BlockFormatsTests",
      dependencies: ["BlockFormats", "CBlockKernels", "CKernelLevels", "FormatTestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "CommandLineToolkitTests",
      dependencies: ["CommandLineToolkit", "CommandLineTestSupport", "UntrustedText"],
      swiftSettings: settings),
    .testTarget(
      name: "FormatMetricsTests",
      dependencies: ["FormatMetrics", "BlockFormats", "FormatTestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "NumericSupportTests", dependencies: ["NumericSupport"], swiftSettings: settings),
    .testTarget(
      name: "LowPrecisionTrainingTests",
      dependencies: [
        "LowPrecisionTraining", "QuantizedLinearAlgebra", "BlockFormats", "CTrainingKernels",
        "TensorFiles", "TrainingRecipes", "FormatTestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "QuantizedCheckpointsTests",
      dependencies: ["QuantizedCheckpoints", "BlockFormats", "TensorFiles", "FormatTestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "QuantizedLinearAlgebraTests",
      dependencies: [
        "QuantizedLinearAlgebra", "BlockFormats", "CBlockKernels", "CProductKernels",
        "NumericSupport", "FormatTestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "ExternalFormatTests",
      dependencies: ["BlockFormats", "CommandLineToolkit", "FormatBench", "QuantizedCheckpoints"],
      swiftSettings: settings),
    .testTarget(
      name: "StrictJSONTests", dependencies: ["StrictJSON", "UntrustedText"],
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
        "FormatBench", "BlockFormats", "CommandLineTestSupport", "CommandLineToolkit",
        "FormatMetrics", "LowPrecisionTraining", "QuantizedCheckpoints", "QuantizedLinearAlgebra",
        "TensorFiles", "TrainingRecipes", "UntrustedText", "fmtbench", "FormatTestSupport",
      ],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
