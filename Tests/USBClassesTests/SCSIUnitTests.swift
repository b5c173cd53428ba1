import Testing

@testable import USBClasses

struct SCSIUnitTests {
    private func unit(
        _ type: SCSIMedium.DeviceType = .disk, blocks: UInt64 = 1000, isReadOnly: Bool = false
    ) -> SCSIUnit {
        SCSIUnit(
            medium: SCSIMedium(
                type: type, blockCount: blocks, isReadOnly: isReadOnly, isRemovable: type == .cdrom,
                hasWriteCache: !isReadOnly, serialNumber: "00AB", identifier: 0x1122_3344_5566_7788))
    }

    private func response(_ command: [UInt8], of unit: SCSIUnit? = nil) throws -> [UInt8] {
        let plan = (unit ?? self.unit()).plan(command, lun: 0)
        guard case .respond(let bytes) = plan else {
            Issue.record("\(command) is answered \(plan)")
            return []
        }
        return bytes
    }

    @Test func inquiryNamesTheDisk() throws {
        let bytes = try response([0x12, 0, 0, 0, 36, 0])
        #expect(Array(bytes.prefix(8)) == [0, 0, 5, 2, 31, 0, 0, 0])
        #expect(String(decoding: bytes[8...], as: UTF8.self) == "2Virt   Disk            1.0 ")
        #expect(try response([0x12, 0, 0, 0, 5, 0]) == [0, 0, 5, 2, 31])
        #expect(try response([0x12, 0, 0, 0, 2, 0], of: unit(.cdrom)) == [5, 0x80])
        // No other unit is there.
        #expect(unit().plan([0x12, 0, 0, 0, 1, 0], lun: 1) == .respond([0x7F]))
        #expect(unit().plan([0, 0, 0, 0, 0, 0], lun: 1) == .fail(.unitNotSupported))
    }

    @Test func vitalProductData() throws {
        #expect(try response([0x12, 1, 0, 0, 255, 0]) == [0, 0, 0, 4, 0, 0x80, 0x83, 0xB0])
        #expect(try response([0x12, 1, 0x80, 0, 255, 0]) == [0, 0x80, 0, 4] + Array("00AB".utf8))
        #expect(
            try response([0x12, 1, 0x83, 0, 255, 0]) == [
                0, 0x83, 0, 12, 1, 3, 0, 8, 0x31, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
            ])
        let limits = try response([0x12, 1, 0xB0, 0, 255, 0])
        #expect(limits.count == 64)
        #expect(Array(limits[4..<16]) == [0, 0, 0, 8, 0, 0, 8, 0, 0, 0, 8, 0])
        #expect(unit().plan([0x12, 1, 0xB5, 0, 255, 0], lun: 0) == .fail(.invalidField))
        #expect(unit().plan([0x12, 0, 0xB0, 0, 255, 0], lun: 0) == .fail(.invalidField))
    }

    @Test func capacities() throws {
        #expect(try response([0x25]) == [0, 0, 3, 231, 0, 0, 2, 0])
        #expect(try response([0x25], of: unit(blocks: 1 << 33)) == [255, 255, 255, 255, 0, 0, 2, 0])
        let long = try response([0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32], of: unit(blocks: 1 << 33))
        #expect(Array(long.prefix(14)) == [0, 0, 0, 1, 255, 255, 255, 255, 0, 0, 2, 0, 0, 3])
        #expect(long.count == 32)
        #expect(
            try response([0x23, 0, 0, 0, 0, 0, 0, 0, 252]) == [0, 0, 0, 8, 0, 0, 3, 232, 2, 0, 2, 0])
        #expect(try response([0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 16]).count == 16)
    }

    @Test func modePagesTellOfTheWriteCacheAndOfProtection() throws {
        let caching: [UInt8] = [0x08, 18, 4] + [UInt8](repeating: 0, count: 17)
        // What Linux asks for.
        #expect(
            try response([0x1A, 0, 0x3F, 0, 192, 0]) == [31, 0, 0x10, 8, 0, 0, 3, 232, 0, 0, 2, 0] + caching)
        #expect(try response([0x1A, 8, 8, 0, 192, 0]) == [23, 0, 0x10, 0] + caching)
        #expect(try response([0x5A, 8, 8, 0, 0, 0, 0, 0, 192, 0]) == [0, 26, 0, 0x10, 0, 0, 0, 0] + caching)
        #expect(try response([0x1A, 0, 0x3F, 0, 4, 0], of: unit(isReadOnly: true)) == [31, 0, 0x80, 8])
        // Nothing is changeable, nothing saved.
        #expect(
            try response([0x1A, 8, 0x48, 0, 192, 0]) == [23, 0, 0x10, 0, 8, 18] + [UInt8](repeating: 0, count: 18))
        #expect(unit().plan([0x1A, 0, 0xC8, 0, 192, 0], lun: 0) == .fail(.savingNotSupported))
        #expect(unit().plan([0x1A, 0, 0x05, 0, 192, 0], lun: 0) == .fail(.invalidField))
    }

    @Test func transfersOfAllLengthsOfCommand() {
        let unit = unit(blocks: 1 << 33)
        #expect(unit.plan([0x08, 0x1F, 0, 2, 0, 0], lun: 0) == .read(offset: 0x1F_0002 * 512, length: 256 * 512))
        #expect(unit.plan([0x28, 0, 0, 0, 0, 9, 0, 0, 8, 0], lun: 0) == .read(offset: 9 * 512, length: 4096))
        #expect(unit.plan([0xA8, 0, 0, 0, 1, 0, 0, 0, 0, 8, 0, 0], lun: 0) == .read(offset: 131072, length: 4096))
        #expect(
            unit.plan([0x88, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0], lun: 0)
                == .read(offset: 1 << 41, length: 512))
        #expect(
            unit.plan([0x2A, 8, 0, 0, 0, 1, 0, 0, 1, 0], lun: 0)
                == .write(offset: 512, length: 512, isDurable: true))
        #expect(
            unit.plan([0x8A, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0], lun: 0)
                == .write(offset: 1 << 41, length: 512, isDurable: false))
        #expect(unit.plan([0x28, 0, 0, 0, 0, 9, 0, 0, 0, 0], lun: 0) == .read(offset: 9 * 512, length: 0))
    }

    @Test func whatIsOutOfRangeFails() {
        func sense(_ command: [UInt8], _ unit: SCSIUnit) -> SCSISense? {
            if case .fail(let sense) = unit.plan(command, lun: 0) { sense } else { nil }
        }
        let unit = unit()
        #expect(sense([0x28, 0, 0, 0, 3, 231, 0, 0, 1, 0], unit) == nil)
        #expect(sense([0x28, 0, 0, 0, 3, 231, 0, 0, 2, 0], unit)?.code == 0x21)
        #expect(sense([0x28, 0, 255, 255, 255, 255, 0, 255, 255, 0], unit)?.block == 0xFFFF_FFFF)
        let huge = [UInt8](repeating: 0xFF, count: 8)
        #expect(sense([0x88, 0] + huge + [255, 255, 255, 255, 0, 0], unit)?.code == 0x21)
        #expect(sense([0x8F, 0] + huge + [255, 255, 255, 255, 0, 0], unit)?.code == 0x21)
        // More than a command may move.
        let large = self.unit(blocks: 1 << 40)
        #expect(sense([0x28, 0, 0, 0, 0, 0, 0, 8, 0, 0], large) == nil)
        #expect(sense([0x28, 0, 0, 0, 0, 0, 0, 8, 1, 0], large) == .invalidField)
        #expect(sense([0x2A, 0, 0, 0, 0, 0, 0, 0, 1, 0], self.unit(isReadOnly: true)) == .writeProtected)
        #expect(sense([0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0], unit) == .invalidOperationCode)
        #expect(sense([], unit) == .invalidOperationCode)
    }

    @Test func senseIsKeptUntilItIsAskedFor() {
        var unit = unit()
        let failing = unit.plan([0xEE], lun: 0)
        #expect(unit.begin(failing, data: []) == .fail(.invalidOperationCode))
        let ask = unit.plan([0x03, 0, 0, 0, 18, 0], lun: 0)
        #expect(
            unit.begin(ask, data: [])
                == .respond([0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0]))
        #expect(unit.begin(ask, data: []) == .respond([0x70, 0, 0, 0, 0, 0, 0, 10] + [UInt8](repeating: 0, count: 10)))
    }

    @Test func aDiskInUseCanBeEjectedByWhoUsesIt() {
        var unit = unit()
        #expect(unit.begin(unit.plan([0x1E, 0, 0, 0, 1, 0], lun: 0), data: []) == .done)
        #expect(unit.isInUse)
        #expect(unit.begin(unit.plan([0x1B, 0, 0, 0, 2, 0], lun: 0), data: []) == .eject)
        unit.ejected()
        #expect(!unit.isInUse)
    }

    @Test func ejectingTakesTheMediumUnlessPrevented() {
        var unit = unit(.cdrom)
        let eject: [UInt8] = [0x1B, 0, 0, 0, 2, 0]
        let ready: [UInt8] = [0, 0, 0, 0, 0, 0]
        #expect(unit.begin(unit.plan([0x1E, 0, 0, 0, 1, 0], lun: 0), data: []) == .done)
        #expect(unit.plan(eject, lun: 0) == .fail(.removalPrevented))
        #expect(unit.begin(unit.plan([0x1E, 0, 0, 0, 0, 0], lun: 0), data: []) == .done)
        #expect(unit.begin(unit.plan(eject, lun: 0), data: []) == .eject)
        unit.ejected()
        #expect(unit.plan(ready, lun: 0) == .fail(.mediumNotPresent))
        #expect(unit.plan([0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0], lun: 0) == .fail(.mediumNotPresent))
        #expect(unit.begin(unit.plan([0x1B, 0, 0, 0, 3, 0], lun: 0), data: []) == .done)
        #expect(unit.begin(unit.plan(ready, lun: 0), data: []) == .fail(.mediumChanged))
        #expect(unit.plan(ready, lun: 0) == .done)
    }

    @Test func aCDROMHasOneTrack() throws {
        let unit = unit(.cdrom, blocks: 4500, isReadOnly: true)
        #expect(try response([0x25], of: unit) == [0, 0, 0x11, 0x93, 0, 0, 8, 0])
        #expect(
            try response([0x43, 0, 0, 0, 0, 0, 0, 0, 255, 0], of: unit) == [
                0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0, 0x14, 0xAA, 0, 0, 0, 0x11, 0x94,
            ])
        #expect(
            Array(try response([0x43, 2, 0, 0, 0, 0, 0xAA, 0, 255, 0], of: unit).suffix(4)) == [0, 1, 2, 0])
        #expect(try response([0x46, 0, 0, 0, 0, 0, 0, 0, 8, 0], of: unit) == [0, 0, 0, 4, 0, 0, 0, 8])
        #expect(
            try response([0x4A, 1, 0, 0, 0x10, 0, 0, 0, 8, 0], of: unit) == [0, 6, 4, 0x10, 0, 2, 0, 0])
    }

    @Test func noCommandTraps() {
        var random = SystemRandomNumberGenerator()
        var units = [unit(), unit(.cdrom, isReadOnly: true), unit(blocks: .max / 512)]
        for _ in 0..<3000 {
            var command = (0..<Int.random(in: 0...16, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random) | (Bool.random(using: &random) ? 0xFF : 0)
            }
            if !command.isEmpty { command[0] = UInt8.random(in: 0...255, using: &random) }
            for index in units.indices {
                let plan = units[index].plan(command, lun: UInt8.random(in: 0...1, using: &random))
                if case .eject = units[index].begin(plan, data: []) { units[index].ejected() }
                switch plan.intent {
                case .send(let length): #expect(length <= BulkOnlyTransport.maximumTransfer)
                case .receive(let length): #expect(length <= BulkOnlyTransport.maximumTransfer)
                case .none, .fail: break
                }
            }
        }
    }
}
