import ArgumentParser
import Engine
import FirmwareEmulator
import Foundation

/// `2virt firmware run`
struct FirmwareRunVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run an image without a VM, for a debugger or to watch its serial ports.",
        discussion: """
            What firmware writes to its serial ports goes to standard output, what happens to standard error. GDB \
            (gdb-multiarch) connects with `target remote 127.0.0.1:PORT`; the firmware is held while it looks. SIGINT ends.
            """)

    @OptionGroup var options: FirmwareImageOptions
    @Option(help: ArgumentHelp("Listen for GDB on this port of 127.0.0.1; 0: any.", valueName: "port")) var gdb: Int?

    func validate() throws {
        if let gdb, !(0...65535).contains(gdb) { throw ValidationError("--gdb \(gdb) is not a port") }
    }

    func run() async throws {
        let image = try options.load()
        let board = try options.chosenBoard(image)
        let ends = TerminationSignals()
        let run: FirmwareRun
        do {
            run = try await FirmwareRun(image: image, board: board, debuggerPort: gdb) { StandardError.write($0) }
        } catch let error as ImageError {
            throw CommandFailure("\(options.image): \(error)")
        }
        if let port = run.debuggerPort { StandardError.write("gdb: target remote 127.0.0.1:\(port)") }
        let copier = Task {
            var copied: UInt64 = 0
            while !Task.isCancelled {
                guard let status = await run.status() else { return }
                let fresh = min(Int(clamping: status.serialTotal &- copied), status.serialLog.count)
                copied = status.serialTotal
                FileHandle.standardOutput.write(Data(status.serialLog.suffix(fresh)))
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        await ends.wait()
        copier.cancel()
        try await run.end()
    }
}
