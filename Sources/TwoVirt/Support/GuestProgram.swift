import Foundation

/// `2virt-guest`, which lies beside this program and is given to guests that we boot.
enum GuestProgram {
    static func path() throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let path = (own as NSString).deletingLastPathComponent + "/2virt-guest"
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw CommandFailure("\(path) is missing: build it with swift build --product 2virt-guest")
        }
        return path
    }
}
