import Foundation

@testable import FirmwareEmulator

/// Obtains real images: compiles our test firmware with Debian's cross compiler, and takes a shipped binary from PyPI.
enum FirmwareBuilder {
    struct Failure: Error, CustomStringConvertible { let description: String }

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Firmware")

    /// `vendor.c` for the chip; the same code with both packet memory schemes.
    static func vendor(f103: Bool) throws -> FirmwareImage {
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("vendor-\(UUID().uuidString).elf")
        defer { try? FileManager.default.removeItem(at: output) }
        try run(
            ["arm-none-eabi-gcc"] + (f103 ? ["-mcpu=cortex-m3", "-DF103"] : ["-mcpu=cortex-m0"]) + [
                "-mthumb", "-Os", "-ffreestanding", "-nostdlib", "-T",
                folder.appendingPathComponent("firmware.ld").path,
                folder.appendingPathComponent("vendor.c").path, "-lgcc", "-o", output.path,
            ])
        return try ImageLoader.load([UInt8](try Data(contentsOf: output)))
    }

    /// The USB-Mux firmware that PyPI's `usbmuxctl` carries; `.ci/test` downloads the wheel and names it.
    static func usbMux() throws -> FirmwareImage {
        guard let wheel = ProcessInfo.processInfo.environment["USBMUX_WHEEL"] else {
            throw Failure(description: "USBMUX_WHEEL does not name the wheel of usbmuxctl: run the tests by .ci/test")
        }
        let bytes = try run(["unzip", "-p", wheel, "usbmuxctl/firmware/umx-*.bin"])
        return try ImageLoader.load([UInt8](bytes))
    }

    @discardableResult
    private static func run(_ command: [String]) throws -> Data {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "\(command[0]) ended with \(process.terminationStatus)")
        }
        return data
    }
}
