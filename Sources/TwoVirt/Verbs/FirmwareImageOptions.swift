import ArgumentParser
import FirmwareEmulator
import Foundation

/// Which image, and on what.
struct FirmwareImageOptions: ParsableArguments {
    @Argument(help: "The firmware image.", completion: .file()) var image: String
    @Option(help: "The board it runs on.") var board: String?
    @Option(help: ArgumentHelp("Where a raw binary goes, if not to the begin of flash.", valueName: "address"))
    var address: String?

    func validate() throws {
        guard let address, Self.number(address) == nil else { return }
        throw ValidationError("--address \(address) is not a 32-bit number")
    }

    private static func number(_ text: String) -> UInt32? {
        text.hasPrefix("0x") ? UInt32(text.dropFirst(2), radix: 16) : UInt32(text)
    }

    /// Of the board that was named; of an STM32 where the image decides.
    private var flashBase: UInt32 { board.flatMap(Board.named)?.chip.flashBase ?? 0x0800_0000 }

    func load() throws -> FirmwareImage {
        guard let size = try? FileManager.default.attributesOfItem(atPath: image)[.size] as? Int else {
            throw CommandFailure("\(image): cannot be read")
        }
        guard size <= ImageLoader.maximumFileSize, let data = FileManager.default.contents(atPath: image) else {
            throw CommandFailure("\(image): \(size) bytes cannot be read")
        }
        do {
            return try ImageLoader.load([UInt8](data), address: address.flatMap(Self.number) ?? flashBase)
        } catch {
            throw CommandFailure("\(image): \(error)")
        }
    }

    /// The board named, or that of the chip which the image names.
    func chosenBoard(_ image: FirmwareImage) throws -> Board {
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
