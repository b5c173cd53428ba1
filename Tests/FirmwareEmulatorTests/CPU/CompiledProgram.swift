import FirmwareEmulator
import Foundation

/// A C program of `Programs`, compiled for one core and run on QEMU and on our CPU.
struct CompiledProgram {
    struct Target: Sendable, CustomStringConvertible {
        var model: CoreModel
        var flags: [String]
        var machine: String
        var description: String { "\(model)" }

        static let all = [
            Target(model: .cortexM0, flags: ["-mcpu=cortex-m0"], machine: "microbit"),
            Target(model: .cortexM3, flags: ["-mcpu=cortex-m3"], machine: "mps2-an385"),
            Target(
                model: .cortexM4F, flags: ["-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"],
                machine: "mps2-an386"),
        ]
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    let target: Target
    private let elf: URL
    private let image: [UInt8]

    init(_ name: String, for target: Target, optimisation: String = "-O2") throws {
        self.target = target
        let programs = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Programs")
        let folder = FileManager.default.temporaryDirectory.appending(path: "cpu-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        elf = folder.appending(path: "program.elf")
        let raw = folder.appending(path: "program.bin")
        let sources = [programs.appending(path: "startup.c").path, programs.appending(path: "\(name).c").path]
        _ = try Self.run(
            "arm-none-eabi-gcc",
            target.flags + ["-mthumb", optimisation, "-w", "--specs=nano.specs", "-nostartfiles"]
                + ["-T", programs.appending(path: "program.ld").path] + sources + ["-lm", "-o", elf.path])
        _ = try Self.run("arm-none-eabi-objcopy", ["-O", "binary", elf.path, raw.path])
        image = [UInt8](try Data(contentsOf: raw))
    }

    func removeFiles() throws { try FileManager.default.removeItem(at: elf.deletingLastPathComponent()) }

    /// What the program prints on QEMU.
    func outputOnQEMU() throws -> String {
        try Self.run(
            "qemu-system-arm",
            [
                "-M", target.machine, "-nographic", "-monitor", "none", "-serial", "null",
                "-semihosting-config", "enable=on,target=native", "-kernel", elf.path,
            ])
    }

    /// What it prints on our CPU.
    func outputOnOurs(isPrecise: Bool = false) throws -> String {
        let machine = Machine(model: target.model, hertz: 48_000_000)
        machine.memory.addFlash(at: 0, size: 256 << 10).write(image, at: 0)
        machine.memory.addRAM(at: 0x2000_0000, size: 16 << 10)
        machine.isPrecise = isPrecise
        var output: [UInt8] = []
        var isFinished = false
        machine.onBKPT = { [unowned machine] number in
            guard number == 0xAB else { return false }
            switch machine.register(0) {
            case 4:
                let text = machine.memory.bytes(at: machine.register(1), count: 256)
                output += text.prefix { $0 != 0 }
            default:
                isFinished = true
                machine.stop()
            }
            return true
        }
        machine.reset()
        let result = machine.run(untilCycle: 50_000_000)
        guard isFinished else {
            throw Failure(description: "\(result) after \(String(decoding: output, as: UTF8.self))")
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func run(_ tool: String, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["timeout", "60", tool] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let text = String(decoding: data, as: UTF8.self)
        guard process.terminationStatus == 0 else {
            throw Failure(description: "\(tool) ended with \(process.terminationStatus): \(text)")
        }
        return text
    }
}
