import Testing
import USBClasses
import USBCore

struct TransferMeaningTests {
    private static let acm = TransferMeaning.InterfaceClass(2, 2, 1)
    private static let data = TransferMeaning.InterfaceClass(10, 0, 0)
    private static let printer = TransferMeaning.InterfaceClass(7, 1, 2)
    private static let ipp = TransferMeaning.InterfaceClass(7, 1, 4)
    private static let web = TransferMeaning.InterfaceClass(0xFF, 0x32, 0x56)

    private func control(
        _ setup: [UInt8], _ data: [UInt8] = [], _ code: TransferMeaning.InterfaceClass? = nil
    ) -> String {
        let packet = SetupPacket(bytes: setup)
        return TransferMeaning(
            type: .control, direction: packet?.direction ?? .out, setup: packet, interfaceClass: code,
            actual: data.count, head: data
        ).line
    }

    private func bytes(
        _ type: TransferType, _ direction: Direction, _ code: TransferMeaning.InterfaceClass?, _ bytes: [UInt8],
        total: Int? = nil
    ) -> String {
        TransferMeaning(
            type: type, direction: direction, interfaceClass: code, actual: total ?? bytes.count,
            head: Array(bytes.prefix(64))
        ).line
    }

    @Test(
        arguments: [
            ([0x80, 6, 0, 1, 0, 0, 18, 0], "GET_DESCRIPTOR device"),
            ([0x80, 6, 0, 2, 0, 0, 9, 0], "GET_DESCRIPTOR configuration 0"),
            ([0x80, 6, 0, 3, 0, 0, 255, 0], "GET_DESCRIPTOR string languages"),
            ([0x80, 6, 0, 6, 0, 0, 10, 0], "GET_DESCRIPTOR device qualifier"),
            ([0x80, 6, 0, 15, 0, 0, 5, 0], "GET_DESCRIPTOR BOS"),
            ([0x80, 6, 2, 0x77, 0, 0, 5, 0], "GET_DESCRIPTOR type 0x77 index 2"),
            ([0x00, 5, 7, 0, 0, 0, 0, 0], "SET_ADDRESS 7"),
            ([0x00, 9, 1, 0, 0, 0, 0, 0], "SET_CONFIGURATION 1"),
            ([0x01, 11, 1, 0, 2, 0, 0, 0], "SET_INTERFACE interface 2 alternate 1"),
            ([0x02, 1, 0, 0, 0x81, 0, 0, 0], "CLEAR_FEATURE ENDPOINT_HALT endpoint 81"),
            ([0x00, 3, 1, 0, 0, 0, 0, 0], "SET_FEATURE DEVICE_REMOTE_WAKEUP"),
            ([0x82, 0, 0, 0, 0x02, 0, 2, 0], "GET_STATUS endpoint 02"),
            ([0x00, 99, 1, 0, 0, 0, 0, 0], "standard request 0x63"),
            ([0xC0, 0x20, 0, 0, 7, 0, 0, 1], "GET_MS_OS_20_DESCRIPTOR set"),
            ([0x40, 0x99, 1, 0, 2, 0, 0, 0], "vendor request 0x99 value 0x0001 index 0x0002"),
            ([0x21, 0x0A, 0, 0, 0, 0, 0, 0], "class request 0x0a value 0x0000 index 0x0000"),
        ] as [([UInt8], String)])
    func standardRequests(setup: [UInt8], line: String) {
        #expect(control(setup) == line)
    }

    @Test func printers() {
        let id: [UInt8] = [0, 20] + Array("MFG:2Virt;MDL:lp;".utf8)
        #expect(control([0xA1, 0, 0, 0, 0, 0, 255, 3], id, Self.ipp) == "GET_DEVICE_ID \"MFG:2Virt;MDL:lp;\"")
        #expect(control([0xA1, 0, 0, 0, 0, 0, 255, 3], [], Self.printer) == "GET_DEVICE_ID")
        #expect(control([0xA1, 1, 0, 0, 0, 0, 1, 0], [0x18], Self.printer) == "GET_PORT_STATUS ready")
        #expect(
            control([0xA1, 1, 0, 0, 0, 0, 1, 0], [0x20], Self.ipp) == "GET_PORT_STATUS error, paper empty, not selected"
        )
        #expect(control([0x21, 2, 0, 0, 1, 0, 0, 0], [], Self.ipp) == "SOFT_RESET")
        #expect(control([0x21, 3, 0, 0, 1, 0, 0, 0], [], Self.ipp) == "class request 0x03 value 0x0000 index 0x0001")
        #expect(bytes(.bulk, .out, Self.printer, Array("%!PS\n".utf8)) == "\"%!PS\\n\"")
        #expect(
            bytes(.bulk, .out, Self.ipp, Array("POST /ipp/print HTTP/1.1\r\nHost: a\r\n".utf8))
                == "POST /ipp/print HTTP/1.1")
        #expect(bytes(.bulk, .in, Self.ipp, Array("HTTP/1.1 200 OK\r\n".utf8)) == "HTTP/1.1 200 OK")
        #expect(bytes(.bulk, .out, Self.ipp, [2, 0, 0, 2, 0, 0, 0, 1, 1]) == "IPP Print-Job")
        #expect(bytes(.bulk, .out, Self.ipp, [2, 0, 0, 99, 0, 0, 0, 1, 1], total: 16384) == "body, 16384 B")
        #expect(bytes(.bulk, .out, Self.ipp, Array("GET /\u{1b}[2J HTTP/1.1\r\n".utf8)) == "GET /\\x1b[2J HTTP/1.1")
    }

    @Test(
        arguments: [
            ([0x22, 0x01, 0, 1, 0x81, 0, 3, 0], [0x80, 0xBB, 0], "SET_CUR sampling frequency 48000 Hz"),
            ([0xA2, 0x81, 0, 1, 0x81, 0, 3, 0], [0x44, 0xAC, 0], "GET_CUR sampling frequency 44100 Hz"),
            ([0xA2, 0x84, 0, 1, 0x81, 0, 3, 0], [], "GET_RES sampling frequency"),
            ([0xA1, 0x82, 0, 2, 0, 5, 2, 0], [0, 0], "GET_MIN control 0x0200 index 0x0500"),
            ([0x21, 0x55, 0, 2, 0, 5, 0, 0], [], "class request 0x55 value 0x0200 index 0x0500"),
        ] as [([UInt8], [UInt8], String)])
    func audioRequests(setup: [UInt8], data: [UInt8], line: String) {
        #expect(control(setup, data, TransferMeaning.InterfaceClass(1, 2, 0)) == line)
    }

    @Test func stringsAreShown() {
        #expect(
            control([0x80, 6, 2, 3, 9, 4, 255, 0], StringDescriptor.bytes("2Virt"))
                == "GET_DESCRIPTOR string 2 \"2Virt\"")
        #expect(control([0x80, 6, 2, 3, 9, 4, 255, 0], [200, 3, 1]) == "GET_DESCRIPTOR string 2")
        #expect(
            control([0x80, 6, 2, 3, 9, 4, 255, 0], StringDescriptor.bytes("\u{1B}[2J"))
                == "GET_DESCRIPTOR string 2 \"\\x1b[2J\"")
    }

    @Test func serialRequestsAndNotifications() {
        let coding = LineCoding().bytes
        #expect(control([0x21, 0x20, 0, 0, 0, 0, 7, 0], coding, Self.acm) == "SET_LINE_CODING 115200 8N1")
        #expect(control([0xA1, 0x21, 0, 0, 0, 0, 7, 0], coding, Self.acm) == "GET_LINE_CODING 115200 8N1")
        #expect(control([0x21, 0x20, 0, 0, 0, 0, 7, 0], [1, 2], Self.acm) == "SET_LINE_CODING")
        #expect(control([0x21, 0x22, 3, 0, 0, 0, 0, 0], [], Self.acm) == "SET_CONTROL_LINE_STATE DTR RTS")
        #expect(control([0x21, 0x22, 0, 0, 0, 0, 0, 0], [], Self.acm) == "SET_CONTROL_LINE_STATE none")
        #expect(control([0x21, 0x23, 0xFA, 0, 0, 0, 0, 0], [], Self.acm) == "SEND_BREAK 250 ms")
        let state = CDC.serialStateNotification([.carrier, .dataSetReady], interface: 0)
        #expect(bytes(.interrupt, .in, Self.acm, state) == "SERIAL_STATE DCD DSR")
        #expect(bytes(.interrupt, .in, Self.acm, Array(state.prefix(8))) == "SERIAL_STATE")
        #expect(bytes(.interrupt, .in, Self.acm, [0xA1]) == "notification")
    }

    @Test func serialDataIsPrintable() {
        #expect(bytes(.bulk, .in, Self.data, Array("login: \r\n".utf8)) == "\"login: \\r\\n\"")
        #expect(bytes(.bulk, .out, Self.data, Array("\u{1B}[2Jäß\u{202E}".utf8)) == "\"\\x1b[2Jäß\\xe2\\x80\\xae\"")
        #expect(bytes(.bulk, .out, Self.data, [0xFF, 0xC3]) == "\"\\xff\\xc3\"")
        let long = bytes(.bulk, .out, Self.data, [UInt8](repeating: 65, count: 64), total: 4096)
        #expect(long == "\"" + String(repeating: "A", count: 48) + "\"… 4096 B")
        #expect(bytes(.bulk, .in, Self.data, []) == "zero-length packet")
    }

    @Test func webService() {
        #expect(control([0xC1, 0, 0, 0, 0, 0, 8, 0], WebServiceProtocol.hello(flags: 0), Self.web) == "HELLO")
        #expect(control([0x41, 1, 0, 0, 0, 0, 0, 0], [], Self.web) == "OPEN")
        #expect(control([0x41, 3, 1, 0, 0, 0, 0, 0], [], Self.web) == "RELEASE interface")
        #expect(
            bytes(.interrupt, .in, Self.web, WebServiceProtocol.directoryChanged(serial: 70000))
                == "directory changed, serial 70000")
        let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
        let settings: [UInt8] = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100]
        #expect(bytes(.bulk, .out, Self.web, preface + settings) == "HTTP/2 preface, SETTINGS")
        let headers: [UInt8] = [0, 0, 3, 1, 4, 0, 0, 0, 5, 0x82, 0x86, 0x84]
        let content: [UInt8] = [0, 0x40, 0, 0, 0, 0, 0, 0, 5] + [UInt8](repeating: 7, count: 40)
        #expect(
            bytes(.bulk, .out, Self.web, headers + content, total: 16405)
                == "HTTP/2 HEADERS stream 5, DATA stream 5 16384 B")
        #expect(bytes(.bulk, .out, Self.web, content, total: 20000) == "HTTP/2 DATA stream 5 16384 B, …")
        #expect(
            bytes(.bulk, .in, Self.web, [0, 0, 4, 3, 0, 0, 0, 0, 7, 0, 0, 0, 8]) == "HTTP/2 RST_STREAM stream 7 CANCEL")
        #expect(
            bytes(.bulk, .in, Self.web, [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 11])
                == "HTTP/2 GOAWAY ENHANCE_YOUR_CALM")
        #expect(
            bytes(.bulk, .in, Self.web, [0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 1, 0, 0])
                == "HTTP/2 WINDOW_UPDATE connection +65536")
        #expect(bytes(.bulk, .in, Self.web, Array("<html>what is not a frame".utf8)) == "HTTP/2 25 B of a frame")
    }

    @Test func anyBytesGiveALineWithoutControlCharacters() {
        var seed: UInt64 = 42
        func random() -> UInt8 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: seed >> 33)
        }
        let codes: [TransferMeaning.InterfaceClass?] = [nil, Self.acm, Self.data, Self.web, .init(8, 6, 80)]
        let types: [TransferType] = [.control, .bulk, .interrupt, .isochronous]
        for round in 0..<40_000 {
            let head = (0..<Int(random()) % 65).map { _ in round % 3 == 0 ? random() & 0x0F : random() }
            let setup = round % 2 == 0 ? SetupPacket(bytes: (0..<8).map { _ in random() }) : nil
            let meaning = TransferMeaning(
                type: types[Int(random()) % 4], direction: round % 5 == 0 ? .in : .out, setup: setup,
                interfaceClass: codes[Int(random()) % codes.count], actual: round % 7 == 0 ? .max : head.count,
                head: head)
            let line = meaning.line
            let isClean = line.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
            #expect(isClean, "\(line.debugDescription)")
        }
    }
}
