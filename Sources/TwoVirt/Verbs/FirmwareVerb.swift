import ArgumentParser
import FirmwareEmulator
import Foundation

/// `2virt firmware`
struct FirmwareVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "firmware", abstract: "Microcontroller images: run them, debug them, see what device they are.",
        subcommands: [FirmwareProbeVerb.self, FirmwareRunVerb.self])
}

/// `2virt firmware probe`
struct FirmwareProbeVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe", abstract: "Run an image without a VM and print its USB device.",
        discussion: """
            ELF, Intel HEX, DFU, UF2 and raw binary images are told apart by their bytes. The board is needed where the \
            image does not name its chip. Boards: \(Board.all.map(\.name).joined(separator: ", ")).
            """)

    @OptionGroup var options: FirmwareImageOptions
    @Option(help: ArgumentHelp("Virtual seconds after which it is given up.", valueName: "seconds")) var limit = 30
    @Flag(help: "Print each transaction on the bus.") var trace = false

    func validate() throws {
        guard (1...3600).contains(limit) else { throw ValidationError("--limit \(limit): 1 to 3600 is allowed") }
    }

    func run() throws {
        let loaded = try options.load()
        let probe: FirmwareProbe
        do {
            let trace: ((String) -> Void)? = trace ? { StandardError.write($0) } : nil
            probe = try FirmwareProbe(image: loaded, board: try options.chosenBoard(loaded), trace: trace)
        } catch let error as ImageError {
            throw CommandFailure("\(options.image): \(error)")
        }
        let device = probe.enumerate(milliseconds: UInt64(limit) * 1000)
        for line in probe.log { StandardError.write(line) }
        if let device {
            StandardOutput.write(device.listing)
        } else if let fault = probe.fault {
            throw CommandFailure("\(options.image): the firmware crashed: \(fault)")
        } else {
            throw CommandFailure("\(options.image): \(probe.failure)")
        }
    }
}
