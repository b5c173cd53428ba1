import FirmwareEmulator
import Foundation

/// Obtains real images: compiles our test firmware with Debian's cross compiler, and takes a shipped binary from PyPI.
public enum FirmwareBuilder {
    public struct Failure: Error, CustomStringConvertible { public let description: String }

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Firmware")

    /// The chips that our firmware is compiled for: each has another USB controller, or another way to it.
    public enum Target: String, Sendable, CaseIterable {
        case f072, f103, f303xC, f303xE, f407, rp2040

        public var board: String {
            switch self {
            case .f072: "stm32f072disco"
            case .f103: "stm32f103c8"
            case .f303xC: "stm32f303disco"
            case .f303xE: "stm32f303nucleo"
            case .f407: "stm32f407disco"
            case .rp2040: "pico"
            }
        }

        /// What our sources for its USB controller end with.
        fileprivate var suffix: String {
            switch self {
            case .f072, .f103, .f303xC, .f303xE: ""
            case .f407: "_otg"
            case .rp2040: "_rp2040"
            }
        }

        /// Where an image is linked to, if not to the begin of STM32's flash: behind boot2, which these have none of.
        fileprivate var start: UInt32? { self == .rp2040 ? 0x1000_0100 : nil }

        fileprivate var flags: [String] {
            switch self {
            case .f072: ["-mcpu=cortex-m0"]
            case .f103: ["-mcpu=cortex-m3", "-DF103"]
            case .f303xC: ["-mcpu=cortex-m4", "-DF103", "-DF303"]
            case .f303xE: ["-mcpu=cortex-m4", "-DF103", "-DF303", "-DPACKED"]
            case .f407: ["-mcpu=cortex-m4"]
            case .rp2040: ["-mcpu=cortex-m0plus"]
            }
        }
    }

    /// `vendor.c` and those named like it: the same device on each chip.
    public static func vendor(_ target: Target, start: UInt32? = nil) throws -> FirmwareImage {
        try load("vendor\(target.suffix).c", for: target, start: start)
    }

    /// What tells of the RP2040 besides USB.
    public static func pico() throws -> FirmwareImage { try load("pico.c", for: .rp2040) }

    /// The serial echo that polls and never sleeps.
    public static func cdc(_ target: Target = .f072) throws -> FirmwareImage {
        try load("cdc\(target.suffix).c", for: target)
    }

    private static func load(
        _ source: String, for target: Target, start: UInt32? = nil
    ) throws -> FirmwareImage {
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).elf").path
        defer { try? FileManager.default.removeItem(atPath: output) }
        try compile(source, for: target, start: start, to: output)
        return try ImageLoader.load([UInt8](try Data(contentsOf: URL(fileURLWithPath: output))))
    }

    /// Compiles a file of ours to an ELF image with symbols.
    ///
    /// - Parameter start: where in flash it is linked to; nil is its begin.
    public static func compile(
        _ source: String, for target: Target = .f072, start: UInt32? = nil, defining definitions: [String] = [],
        to output: String
    ) throws {
        try run(
            ["arm-none-eabi-gcc"] + target.flags + definitions.map { "-D\($0)" }
                + ((start ?? target.start).map { ["-Wl,--defsym=START=\($0)"] } ?? []) + [
                    "-mthumb", "-Os", "-g", "-ffreestanding", "-nostdlib", "-T",
                    folder.appendingPathComponent("firmware.ld").path,
                    folder.appendingPathComponent(source).path, "-lgcc", "-o", output,
                ])
    }

    /// `cdc.c` as the raw binary that a boot loader puts at `start`.
    public static func cdcBinary(start: UInt32) throws -> [UInt8] {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).elf").path
        defer {
            for file in [path, path + ".bin"] { try? FileManager.default.removeItem(atPath: file) }
        }
        try compile("cdc.c", start: start, to: path)
        try run(["arm-none-eabi-objcopy", "-O", "binary", path, path + ".bin"])
        return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path + ".bin")))
    }

    /// The USB-Mux firmware that PyPI's `usbmuxctl` carries; `.ci/test` downloads the wheel and names it.
    public static func usbMuxBytes() throws -> [UInt8] {
        [UInt8](try run(["unzip", "-p", try usbMuxWheel(), "usbmuxctl/firmware/umx-*.bin"]))
    }

    /// The path of the wheel that has both the firmware and the tool for it.
    public static func usbMuxWheel() throws -> String {
        guard let wheel = ProcessInfo.processInfo.environment["USBMUX_WHEEL"] else {
            throw Failure(description: "USBMUX_WHEEL does not name the wheel of usbmuxctl: run the tests by .ci/test")
        }
        return wheel
    }

    public static func usbMux() throws -> FirmwareImage { try ImageLoader.load(try usbMuxBytes()) }

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
