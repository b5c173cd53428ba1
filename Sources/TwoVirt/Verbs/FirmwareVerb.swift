import ArgumentParser
import FirmwareEmulator
import Foundation

/// `2virt firmware`
struct FirmwareVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "firmware", abstract: "Microcontroller images: what device they are.",
        subcommands: [FirmwareProbeVerb.self])
}

/// `2virt firmware probe`
struct FirmwareProbeVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe", abstract: "Run an image without a VM and print its USB device.",
        discussion: """
            ELF, Intel HEX, DFU, UF2 and raw binary images are told apart by their bytes. The board is needed where the \
            image does not name its chip. Boards: \(Board.all.map(\.name).joined(separator: ", ")).
            """)

    @Argument(help: "The firmware image.", completion: .file()) var image: String
    @Option(help: "The board it runs on.") var board: String?
    @Option(help: ArgumentHelp("Where a raw binary goes.", valueName: "address")) var address: String = "0x08000000"
    @Option(help: ArgumentHelp("Virtual seconds after which it is given up.", valueName: "seconds")) var limit = 30
    @Flag(help: "Print each transaction on the bus.") var trace = false

    func validate() throws {
        guard Self.number(address) != nil else { throw ValidationError("--address \(address) is not a 32-bit number") }
        guard (1...3600).contains(limit) else { throw ValidationError("--limit \(limit): 1 to 3600 is allowed") }
    }

    private static func number(_ text: String) -> UInt32? {
        text.hasPrefix("0x") ? UInt32(text.dropFirst(2), radix: 16) : UInt32(text)
    }

    func run() throws {
        guard let size = try? FileManager.default.attributesOfItem(atPath: image)[.size] as? Int else {
            throw CommandFailure("\(image): cannot be read")
        }
        guard size <= ImageLoader.maximumFileSize, let data = FileManager.default.contents(atPath: image) else {
            throw CommandFailure("\(image): \(size) bytes cannot be read")
        }
        let loaded: FirmwareImage
        let probe: FirmwareProbe
        do {
            loaded = try ImageLoader.load([UInt8](data), address: Self.number(address) ?? Chip.flashBase)
            let trace: ((String) -> Void)? = trace ? { StandardError.write($0) } : nil
            probe = try FirmwareProbe(image: loaded, board: try chosenBoard(loaded), trace: trace)
        } catch let error as ImageError {
            throw CommandFailure("\(image): \(error)")
        }
        let device = probe.enumerate(milliseconds: UInt64(limit) * 1000)
        for line in probe.log { StandardError.write(line) }
        if let device {
            StandardOutput.write(device.listing)
        } else if let fault = probe.fault {
            throw CommandFailure("\(image): the firmware crashed: \(fault)")
        } else {
            throw CommandFailure("\(image): \(probe.failure)")
        }
    }

    private func chosenBoard(_ image: FirmwareImage) throws -> Board {
        let known = Board.all.map(\.name).joined(separator: ", ")
        if let name = board {
            guard let found = Board.named(name) else { throw CommandFailure("no board \"\(name)\"; known: \(known)") }
            return found
        }
        switch image.hint {
        case .chip(let name):
            if let found = Board.named(name) { return found }
        case .unsupported(let name): throw CommandFailure("\(self.image): it is for \(name), which is not emulated")
        case nil: break
        }
        throw CommandFailure("\(self.image): the image does not tell its chip; say --board with one of: \(known)")
    }
}
