import Foundation
import ReferenceFirmware
import Testing
import USBCore

@testable import FirmwareEmulator

/// Our own firmware in Embedded Swift: it is what its sources make, and does what it says, on both chips.
@Suite struct ReferenceFirmwareTests {
    /// Enumerated, taken by a host, configured.
    private static func ready(_ firmware: ReferenceFirmware) throws -> FirmwareProbe {
        let board = try #require(Board.named(firmware.board))
        let probe = try FirmwareProbe(image: try ImageLoader.load(firmware.image), board: board, identity: 0x42)
        let device = try #require(probe.enumerate(), "\(probe.failure)")
        #expect(device.manufacturer == "2Virt")
        #expect(device.serialNumber?.count == 24)
        probe.connect()
        #expect(probe.perform(.control(1, RealImageTests.configure))?.status == .success)
        return probe
    }

    /// Bytes from the device, by as many transfers as it takes: short packets end one, but mean nothing.
    private static func stream(_ probe: FirmwareProbe, count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count, let reply = probe.perform(.in(5, 1, length: 512)), reply.status == .success {
            bytes += reply.data
        }
        return bytes
    }

    @Test func imagesAreWhatTheirSourcesMake() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../Sources/ReferenceFirmware/Firmware").standardizedFileURL
        let output = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: output, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: output) }
        let process = Process()
        process.executableURL = folder.appendingPathComponent("build")
        process.arguments = [output.path]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        for firmware in ReferenceFirmware.allCases {
            let rebuilt = [UInt8](try Data(contentsOf: output.appendingPathComponent("\(firmware.rawValue).elf")))
            #expect(
                rebuilt == firmware.image, "\(firmware.rawValue) is not what its sources make: run \(folder.path)/build"
            )
        }
    }

    @Test(arguments: [ReferenceFirmware.serialEchoSTM32F072, .serialEchoSTM32F103])
    func serialPortEchoes(_ firmware: ReferenceFirmware) throws {
        let probe = try Self.ready(firmware)
        let lineCoding: [UInt8] = [0x80, 0x25, 0, 0, 1, 2, 7]
        let toInterface = RequestType(.out, .class, .interface), fromInterface = RequestType(.in, .class, .interface)
        let set = SetupPacket(requestType: toInterface, request: 0x20, length: 7)
        #expect(probe.perform(.control(2, set, data: lineCoding))?.status == .success)
        let get = SetupPacket(requestType: fromInterface, request: 0x21, length: 7)
        #expect(probe.perform(.control(3, get))?.data == lineCoding)
        for count in [1, 63, 64, 65, 1000, 1024] {
            let data = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 >> 2) }
            probe.submit(1000, .out(4, 2, data: data))
            let echoed = Self.stream(probe, count: count)
            #expect(echoed == data)
            #expect(probe.takeCompletion(1000)?.actualLength == count)
        }
    }

    @Test(arguments: [ReferenceFirmware.usbCharSTM32F072, .usbCharSTM32F103])
    func bytesCrossBetweenHostAndSerialPort(_ firmware: ReferenceFirmware) throws {
        let probe = try Self.ready(firmware)
        let interface = try #require(probe.scheduler?.device)
            .enumeration.configurations[0].interfaces[0]
        #expect(interface.endpoints.map(\.address.rawValue) == [0x81, 0x02] as [UInt8])
        let data = (0..<500).map { UInt8(truncatingIfNeeded: $0) }
        probe.submit(1000, .out(2, 2, data: data))
        probe.run(milliseconds: 200) { probe.serial.count >= data.count }
        #expect(probe.serial == data)
        probe.microcontroller.receiveSerial(Array("from the board".utf8))
        #expect(Self.stream(probe, count: 14) == Array("from the board".utf8))
        // A request that the device does not know is refused, and the next one works.
        let unknown = SetupPacket(requestType: RealImageTests.vendorIn, request: 1, length: 1)
        #expect(probe.perform(.control(4, unknown))?.status == .stall)
        let status = SetupPacket(requestType: RequestType(.in, .standard, .device), request: 0, length: 2)
        #expect(probe.perform(.control(5, status))?.data == [0, 0])
    }
}
