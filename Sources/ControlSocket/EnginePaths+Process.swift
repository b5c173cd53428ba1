import Foundation

extension EnginePaths {
    /// The paths of this process: its environment and its effective user.
    public static var current: EnginePaths {
        let user = geteuid()
        return EnginePaths(
            environment: ProcessInfo.processInfo.environment, userID: user,
            home: FileManager.default.homeDirectoryForCurrentUser.path,
            isDirectory: { path in
                var isDirectory: ObjCBool = false
                return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
            })
    }
}
