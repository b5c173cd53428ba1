import Foundation
import Testing

@testable import GuestLab

/// A real Debian kernel under QEMU; needs the packages of ``LabPrerequisites`` and, the first time, the package mirror.
@Suite(.serialized) struct GuestBootTests {
    private static func image() async throws -> GuestImage {
        try await GuestImageBuilder().build()
    }

    @Test func bootsRunsPlugsAndLeavesNothing() async throws {
        let image = try await Self.image()
        let guest = try await Guest.boot(
            GuestConfiguration(
                name: "lab-test", image: image,
                extraFiles: [
                    GuestFile(path: "/usr/bin/greet", contents: .bytes(Data("#!/bin/sh\necho hello $1\n".utf8)))
                ]))
        #expect(try await guest.check("uname -r") == image.kernelRelease)
        #expect(guest.kernelRelease == image.kernelRelease)
        #expect(try await guest.check("hostname") == "lab-test")
        #expect(try await guest.check("greet you") == "hello you")
        let buses = try await guest.check("ls /sys/bus/usb/devices").split(separator: "\n")
        #expect(buses.contains("usb1") && buses.contains("usb2"))

        let mark = guest.kernelLogMark
        try await guest.monitor.execute("device_add", ["driver": "usb-kbd", "id": "kbd", "bus": "xhci.0", "port": "1"])
        try await guest.waitForKernelLog(containing: "New USB device found", since: mark)
        try await guest.waitForKernelLog(since: mark) { $0.contains("input:") && $0.contains("QEMU USB Keyboard") }
        #expect(try await guest.check("lsmod").contains("usbhid"))
        await #expect(throws: LabError.self) { try await guest.monitor.execute("device_del", ["id": "nosuch"]) }

        let directory = guest.paths.directory
        #expect(FileManager.default.fileExists(atPath: guest.qmpSocketPath))
        #expect(FileManager.default.fileExists(atPath: guest.shellSocketPath))
        await guest.shutdown()
        #expect(!guest.isRunning)
        #expect(kill(guest.processIdentifier, 0) == -1)
        #expect(!FileManager.default.fileExists(atPath: directory))
        await #expect(throws: LabError.self) { try await guest.run("true") }
        await guest.shutdown()
    }

    @Test func commandsAreConcurrentBinarySafeAndKillable() async throws {
        let guest = try await Guest.boot(
            GuestConfiguration(name: "lab-commands", image: try await Self.image(), accelerator: .tcg))
        let failing = try await guest.run("echo out; echo err >&2; exit 42")
        #expect(failing == CommandResult(exitCode: 42, output: Array("out\nerr\n".utf8)))
        let bytes = try await guest.run("printf '\\000\\001\\377\\n\\n'")
        #expect(bytes.output == [0, 1, 255, 10, 10])
        let big = try await guest.run("head -c 1000000 /dev/zero")
        #expect(big.output == [UInt8](repeating: 0, count: 1_000_000))

        try await withThrowingTaskGroup(of: (Int, String).self) { group in
            for number in 0..<12 {
                group.addTask { (number, try await guest.check("echo a\(number); sleep 0.2; echo \"b '\(number)'\"")) }
            }
            for try await (number, text) in group { #expect(text == "a\(number)\nb '\(number)'") }
        }

        await #expect(throws: LabError.self) { try await guest.run("exec sleep 4242", timeout: .milliseconds(300)) }
        // The kill travels before this command on the same channel; a busy guest's kernel still has to end the process.
        try await guest.check("while pidof sleep; do usleep 20000; done", timeout: .seconds(20))
        // A program must be able to get the signals a terminal or a supervisor would send it.
        #expect(try await guest.run("sh -c 'kill -INT $$; echo survived'").output.isEmpty)
        try await guest.check("sleep 4243 & echo started")
        #expect(try await guest.run("pidof sleep").exitCode == 0)
        let shell = try await ShellPeer.connect(to: guest.shellSocketPath)
        #expect(try await shell.say("echo r$((6*7))\n", until: "r42"))
        // Ctrl-C ends the program in front, so the shell, not sleep, reads the next line.
        #expect(try await shell.say("echo up; sleep 4244\n", until: "up\r\n"))
        #expect(try await shell.say("\u{3}", until: "# "))
        #expect(try await shell.say("echo s$((6*8))\n", until: "s48"))
        try await shell.close()
        await guest.shutdown()
    }

    @Test func guestThatEndsTellsEveryoneWaiting() async throws {
        let guest = try await Guest.boot(
            GuestConfiguration(name: "lab-ends", image: try await Self.image(), accelerator: .tcg))
        let waiting = Task { try await guest.waitForKernelLog(containing: "never printed", timeout: .seconds(60)) }
        await #expect(throws: LabError.self) { try await guest.run("poweroff -f") }
        await #expect(throws: LabError.self) { try await waiting.value }
        await guest.waitUntilEnded()
        #expect(!FileManager.default.fileExists(atPath: guest.paths.directory))
    }

    @Test func refusedArgumentLeavesNothingAndSaysWhy() async throws {
        let scratch = try LabScratch()
        let configuration = GuestConfiguration(
            name: "lab-refused", image: try await Self.image(), qmpDirectory: scratch.path, accelerator: .tcg,
            extraArguments: ["-device", "no-such-device"])
        await #expect {
            _ = try await Guest.boot(configuration)
        } throws: {
            "\($0)".contains("no-such-device")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty)
    }
}
