import FirmwareTestKit
import Foundation
import TerminalTestKit
import Testing

extension EndToEnd {
    /// Debian's GDB at firmware that runs on the emulated chip.
    @Suite("Debugger", .serialized) struct DebuggerTests {
        @Test func gdbStopsLooksStepsWatchesAndLeaves() async throws {
            try await LabEnvironment.use(vms: "", devices: "", guests: nil) { lab in
                let image = lab.directory + "/echo.elf"
                try FirmwareBuilder.compile("cdc.c", to: image)
                let words = lab.directory + "/run.err"
                let run = try Child(
                    try BuiltProducts.path(of: "2virt"),
                    ["firmware", "run", image, "--board", "stm32f072disco", "--gdb", "0"], variables: lab.variables,
                    output: lab.directory + "/run.out", errors: words)
                var port: Substring?
                try await eventually("a port for gdb") {
                    port = try String(contentsOfFile: words, encoding: .utf8)
                        .firstMatch(of: /gdb: target remote 127\.0\.0\.1:([0-9]+)/)?.1
                    return port != nil
                }
                try await eventually("the device to have enumerated") {
                    try String(contentsOfFile: words, encoding: .utf8).contains("enumerated:")
                }
                let said = try await gdb(
                    lab, image,
                    [
                        "target remote 127.0.0.1:\(try #require(port))", "info registers", "break poll", "continue",
                        "bt 1", "delete", "stepi", "stepi", "x/i $pc", "p/x *(unsigned *)0", "set var tail = 0x55",
                        "p/x tail", "set var tail = 0", "monitor reset", "watch left", "continue", "p left", "delete",
                        "break start", "monitor reset", "continue", "p $pc == (long)&start || 1", "detach",
                    ])
                for text in [
                    "xpsr", "msp", "control", "Breakpoint 1, poll ()", "$1 = 0x20001800", "$2 = 0x55",
                    "atchpoint 2: left", "New value = ", "Breakpoint 3, start ()", "detached",
                ] {
                    #expect(said.contains(text), "no \"\(text)\" in:\n\(said)")
                }
                // Let go of, firmware goes on: it has the bus and its serial port.
                try await eventually("firmware to go on") {
                    try String(contentsOfFile: lab.directory + "/run.out", encoding: .utf8)
                        .components(separatedBy: "echo ready").count > 2
                }
                kill(run.pid, SIGINT)
                #expect(await run.ended() == 0)
            }
        }

        private func gdb(_ lab: LabEnvironment, _ image: String, _ commands: [String]) async throws -> String {
            let output = lab.directory + "/gdb.out"
            let child = try Child(
                "/usr/bin/gdb-multiarch",
                ["-batch", "-nx", image, "-ex", "set remotetimeout 30", "-ex", "set confirm off"]
                    + commands.flatMap { ["-ex", $0] },
                variables: lab.variables, output: output, errors: output)
            _ = await child.ended()
            return try String(contentsOfFile: output, encoding: .utf8)
        }
    }
}
