import NIOCore
import Testing
import USBCore
import USBIPCodec

/// PROTOCOLS section 2, op phase and headers: bytes as Linux's tools send and expect them.
@Suite("USB/IP codec")
struct CodecTests {
    private func record(_ busID: String = "1-1", interfaces: UInt8 = 0) throws -> DeviceRecord {
        DeviceRecord(
            path: "/2virt/desk", busID: try #require(BusID(busID)), busNumber: 1, deviceNumber: 2, speed: .high,
            idVendor: 0x1209, idProduct: 0x0001, deviceRelease: 0x0123, deviceClass: 0xEF, deviceSubClass: 2,
            deviceProtocol: 1, configurationValue: 1, configurationCount: 1, interfaceCount: interfaces)
    }

    private func bytes(_ write: (inout ByteBuffer) -> Void) -> [UInt8] {
        var buffer = ByteBuffer()
        write(&buffer)
        return Array(buffer.readableBytesView)
    }

    // MARK: Op phase

    @Test func requestsAreBigEndianWithVersion0111() throws {
        #expect(bytes { OperationRequest.listDevices.write(to: &$0) } == [1, 0x11, 0x80, 5, 0, 0, 0, 0])
        let busID = try #require(BusID("1-1"))
        let raw = bytes { OperationRequest.importDevice(busID).write(to: &$0) }
        #expect(raw.count == 40)
        #expect(raw.prefix(12) == [1, 0x11, 0x80, 3, 0, 0, 0, 0, 0x31, 0x2D, 0x31, 0])
    }

    @Test func unknownVersionIsRefusedAtItsSecondByte() {
        var buffer = ByteBuffer(bytes: [1, 0x06])
        #expect(throws: USBIPError.unknownVersion(0x0106)) { try OperationRequest.read(from: &buffer) }
    }

    @Test func unknownOperationIsRefused() {
        var buffer = ByteBuffer(bytes: [1, 0x11, 0x80, 9])
        #expect(throws: USBIPError.unknownOperation(0x8009)) { try OperationRequest.read(from: &buffer) }
        var reply = ByteBuffer(bytes: [1, 0x11, 0, 3, 0, 0, 0, 0])
        #expect(throws: USBIPError.unknownOperation(3)) { try OperationRequest.read(from: &reply) }
    }

    @Test func importReplyHas320BytesAndNoInterfaces() throws {
        let record = try record(interfaces: 3)
        let raw = bytes { OperationReply.imported(record).write(to: &$0) }
        #expect(raw.count == 8 + 312)
        #expect(Array(raw[..<8]) == [1, 0x11, 0, 3, 0, 0, 0, 0])
        #expect(raw[8..<8 + 12] == ArraySlice("/2virt/desk\0".utf8))
        #expect(raw[8 + 256..<8 + 260] == [0x31, 0x2D, 0x31, 0])
        // busnum, devnum, speed, then u16s big endian, then six bytes.
        #expect(
            Array(raw[(8 + 288)...]) == [
                0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0x12, 0x09, 0, 1, 0x01, 0x23, 0xEF, 2, 1, 1, 1, 3,
            ])
    }

    @Test func refusedImportIsEightBytes() {
        let raw = bytes { OperationReply.refused(.replyImport, .notAvailable).write(to: &$0) }
        #expect(raw == [1, 0x11, 0, 3, 0, 0, 0, 1])
    }

    @Test func listCountsItsInterfacesItself() throws {
        let device = ListedDevice(
            record: try record(interfaces: 9), interfaces: [InterfaceRecord(3, 1, 2), InterfaceRecord(8, 6, 0x50)])
        let raw = bytes { OperationReply.devices([device]).write(to: &$0) }
        #expect(raw.count == 12 + 312 + 8)
        #expect(raw[8..<12] == [0, 0, 0, 1])
        #expect(raw[12 + 311] == 2)
        #expect(Array(raw.suffix(8)) == [3, 1, 2, 0, 8, 6, 0x50, 0])
    }

    @Test func busIDOf32CharactersHasNoTerminator() throws {
        let name = String(repeating: "x", count: 32)
        let busID = try #require(BusID(name))
        var buffer = ByteBuffer()
        OperationRequest.importDevice(busID).write(to: &buffer)
        #expect(buffer.readableBytes == 40)
        guard case .importDevice(let read)? = try OperationRequest.read(from: &buffer) else {
            Issue.record("no import")
            return
        }
        #expect(read.description == name)
        #expect(BusID(name + "x") == nil)
    }

    @Test func busIDIsKeptWithWhatFollowsItsTerminator() throws {
        var raw: [UInt8] = [1, 0x11, 0x80, 3, 0, 0, 0, 0] + Array("1-1\0junk".utf8)
        raw += [UInt8](repeating: 0xFF, count: 40 - raw.count)
        var buffer = ByteBuffer(bytes: raw)
        guard case .importDevice(let busID)? = try OperationRequest.read(from: &buffer) else {
            Issue.record("no import")
            return
        }
        #expect(busID.description == "1-1")
        #expect(busID.bytes == Array(raw[8...]))
    }

    @Test func repliesAreReadBackInAnyPieces() throws {
        let devices = [
            ListedDevice(record: try record(), interfaces: [InterfaceRecord(1, 2, 3)]),
            ListedDevice(record: try record("1-2"), interfaces: []),
        ]
        for reply in [
            OperationReply.devices(devices), .imported(try record()), .refused(.replyImport, .noDevice), .devices([]),
        ] {
            let raw = bytes { reply.write(to: &$0) }
            var buffer = ByteBuffer()
            for (index, byte) in raw.enumerated() {
                buffer.writeInteger(byte)
                let read = try OperationReply.read(from: &buffer)
                if index < raw.count - 1 { #expect(read == nil) } else { #expect(read == reply) }
            }
            #expect(buffer.readableBytes == 0)
        }
    }

    @Test func hostileListCountIsRefusedBeforeItsDevices() {
        var buffer = ByteBuffer(bytes: [1, 0x11, 0, 5, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF])
        #expect(throws: USBIPError.tooManyDevices(.max, limit: 4096)) { try OperationReply.read(from: &buffer) }
    }

    @Test func superSpeedPlusIsNeverSaid() {
        #expect(Speed.allCases.map { WireSpeed($0).rawValue } == [1, 2, 3, 5])
    }

    // MARK: URB phase

    @Test func submitHeaderIs48BytesWithRawSetup() {
        let command = SubmitCommand(
            sequenceNumber: 7, deviceID: 0x0001_0002, direction: .in, endpoint: 0, flags: .directionIn, length: 18,
            setup: SetupPacket(
                requestType: RequestType(rawValue: 0x80), request: 6, value: 0x0100, index: 0, length: 18))
        let raw = [URBRequest.submit(command)].bytes
        #expect(
            raw == [
                0, 0, 0, 1, 0, 0, 0, 7, 0, 1, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 18, 0, 0, 0, 0, 0, 0,
                0,
                0, 0, 0, 0, 0, 0x80, 6, 0, 1, 0, 0, 18, 0,
            ])
    }

    @Test func repliesHaveZeroDeviceDirectionAndEndpoint() {
        let submit = bytes {
            SubmitReply(sequenceNumber: 7, status: .stall, actualLength: 3).write(to: &$0)
        }
        #expect(
            submit == [0, 0, 0, 3, 0, 0, 0, 7] + [UInt8](repeating: 0, count: 12) + [
                0xFF, 0xFF, 0xFF, 0xE0, 0, 0, 0, 3,
            ]
                + [UInt8](repeating: 0, count: 20))
        let unlink = bytes { UnlinkReply(sequenceNumber: 9, status: .unlinked).write(to: &$0) }
        #expect(
            unlink == [0, 0, 0, 4, 0, 0, 0, 9] + [UInt8](repeating: 0, count: 12) + [0xFF, 0xFF, 0xFF, 0x98]
                + [UInt8](repeating: 0, count: 24))
    }

    @Test func unlinkNamesItsTarget() throws {
        let raw = [URBRequest.unlink(UnlinkCommand(sequenceNumber: 8, deviceID: 0x0001_0002, target: 7))].bytes
        #expect(raw.count == 48)
        #expect(Array(raw[..<24]) == [0, 0, 0, 2, 0, 0, 0, 8, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7])
    }

    @Test func requestsAreReadBackInAnyPieces() throws {
        let peerIsochronous: Set<EndpointAddress> = [EndpointAddress(3, .out), EndpointAddress(3, .in)]
        let requests: [URBRequest] = [
            .submit(
                SubmitCommand(sequenceNumber: 1, deviceID: 5, direction: .out, endpoint: 1, length: 3),
                data: [1, 2, 3]),
            .submit(
                SubmitCommand(
                    sequenceNumber: 2, deviceID: 5, direction: .out, endpoint: 3, length: 4, startFrame: 9,
                    packetCount: 2, interval: 8), data: [9, 8, 7, 6],
                packets: [
                    IsochronousDescriptor(offset: 0, length: 2), IsochronousDescriptor(offset: 2, length: 2),
                ]),
            .submit(
                SubmitCommand(
                    sequenceNumber: 3, deviceID: 5, direction: .in, endpoint: 3, length: 192, packetCount: 1),
                packets: [IsochronousDescriptor(offset: 0, length: 192)]),
            .unlink(UnlinkCommand(sequenceNumber: .max, deviceID: 5, target: 3)),
        ]
        var buffer = ByteBuffer()
        var decoder = URBRequestDecoder()
        var read: [URBRequest] = []
        var missing = decoder.missingBytes
        for byte in requests.bytes {
            buffer.writeInteger(byte)
            missing -= 1
            if let request = try decoder.next(from: &buffer, isIsochronous: peerIsochronous.contains) {
                #expect(missing == 0)
                read.append(request)
                missing = URBHeader.length
            } else if missing == 0 {
                missing = decoder.missingBytes
            } else {
                #expect(missing == decoder.missingBytes)
            }
        }
        #expect(read == requests)
        #expect(buffer.readableBytes == 0)
    }

    @Test func packetCountIsIgnoredUnlessTheEndpointIsIsochronous() throws {
        for garbage: Int32 in [-1, 0, 7, .max, .min] {
            let command = SubmitCommand(
                sequenceNumber: 1, deviceID: 5, direction: .in, endpoint: 1, length: 64, packetCount: garbage)
            var buffer = ByteBuffer(bytes: [URBRequest.submit(command)].bytes)
            var decoder = URBRequestDecoder()
            #expect(try decoder.next(from: &buffer, isIsochronous: { _ in false }) == .submit(command))
        }
    }

    @Test(arguments: [-1, 1025, Int32.max, .min])
    func packetCountBeyondTheLimitIsRefused(count: Int32) {
        var buffer = ByteBuffer(
            bytes: [
                URBRequest.submit(
                    SubmitCommand(
                        sequenceNumber: 1, deviceID: 5, direction: .in, endpoint: 3, length: 64, packetCount: count))
            ].bytes)
        var decoder = URBRequestDecoder()
        #expect(throws: USBIPError.packetCount(count, limit: 1024)) {
            try decoder.next(from: &buffer, isIsochronous: { _ in true })
        }
    }

    @Test(arguments: [-1, Int32.max, .min, 16 << 20 + 1])
    func outLengthIsJudgedFromTheHeaderAlone(length: Int32) {
        let limit = 16 << 20
        guard length < 0 || Int(length) > limit else { return }
        var buffer = ByteBuffer(
            bytes: [
                URBRequest.submit(
                    SubmitCommand(sequenceNumber: 1, deviceID: 5, direction: .out, endpoint: 1, length: length))
            ].bytes)
        var decoder = URBRequestDecoder()
        #expect(throws: USBIPError.length(what: "transfer_buffer_length", length, limit: limit)) {
            try decoder.next(from: &buffer, isIsochronous: { _ in false })
        }
    }

    @Test func endpointBeyond15AndDirectionBeyond1AreRefusedBeforeAnyTable() {
        for (offset, value, error) in [
            (19, 16 as UInt8, USBIPError.endpoint(16)), (16, 1, .endpoint(1 << 24)), (15, 2, .direction(2)),
        ] {
            var raw = [URBRequest.submit(SubmitCommand(sequenceNumber: 1, deviceID: 5, direction: .in, endpoint: 0))]
                .bytes
            raw[offset] = value
            var buffer = ByteBuffer(bytes: raw)
            var decoder = URBRequestDecoder()
            #expect(throws: error) {
                try decoder.next(
                    from: &buffer,
                    isIsochronous: { _ in
                        Issue.record("an endpoint was looked up")
                        return false
                    })
            }
        }
    }

    @Test(arguments: [0, 3, 4, 5, UInt32.max])
    func unknownCommandIsRefused(command: UInt32) {
        var buffer = ByteBuffer()
        buffer.writeInteger(command)
        buffer.writeRepeatingByte(0, count: 44)
        var decoder = URBRequestDecoder()
        #expect(throws: USBIPError.unknownCommand(command)) {
            try decoder.next(from: &buffer, isIsochronous: { _ in false })
        }
    }

    // MARK: Client

    /// CVE-2016-3955: a reply longer than its URB.
    @Test func replyLongerThanItsURBIsRefused() {
        for actual: Int32 in [-1, 65, .max] {
            var buffer = ByteBuffer()
            SubmitReply(sequenceNumber: 1, status: .success, actualLength: actual).write(to: &buffer)
            let decoder = URBReplyDecoder()
            #expect(throws: USBIPError.length(what: "actual_length", actual, limit: 64)) {
                try decoder.next(from: &buffer, awaited: { _ in AwaitedURB(direction: .in, length: 64) })
            }
        }
    }

    @Test func replyToAnUnknownURBIsRefused() {
        var buffer = ByteBuffer()
        SubmitReply(sequenceNumber: 1, status: .success).write(to: &buffer)
        let decoder = URBReplyDecoder()
        #expect(throws: USBIPError.unknownSequenceNumber(1)) { try decoder.next(from: &buffer, awaited: { _ in nil }) }
    }

    @Test func isochronousReplyWithAnotherPacketCountIsRefused() {
        var buffer = ByteBuffer()
        SubmitReply(sequenceNumber: 1, status: .success, packetCount: 2).write(to: &buffer)
        let decoder = URBReplyDecoder()
        #expect(throws: USBIPError.packetCount(2, limit: 1)) {
            try decoder.next(from: &buffer, awaited: { _ in AwaitedURB(direction: .in, length: 64, packetCount: 1) })
        }
    }
}
