import Foundation
import PackagePlugin

/// Tells the executable the commit and the compiler that it is built from.
///
/// A script writes them into a source file of the executable before every build. That file is
/// compiled into the executable alone, so that a new commit rebuilds one small file and links.
@main
struct BuildStampPlugin: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let package = context.package.directoryURL
    let folder = context.pluginWorkDirectoryURL
    // The script finds git by PATH, and git its settings by HOME.
    let environment = ProcessInfo.processInfo.environment.filter {
      ["HOME", "PATH"].contains($0.key)
    }
    return [
      .prebuildCommand(
        displayName: "Telling \(target.name) its commit",
        executable: URL(fileURLWithPath: "/bin/sh"),
        arguments: [
          package.appending(path: "Sources/BuildStampPlugin/stamp.sh").path, package.path,
          try context.tool(named: "swiftc").url.path, folder.path,
        ],
        environment: environment, outputFilesDirectory: folder)
    ]
  }
}
