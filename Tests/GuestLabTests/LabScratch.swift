import Foundation

@testable import GuestLab

/// A directory that goes with the test that made it.
final class LabScratch {
    let path: String

    init() throws {
        path = try ScratchDirectory("2virt-lab-test").path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}
