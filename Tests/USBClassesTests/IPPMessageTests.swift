import Testing
import USBClasses

struct IPPMessageTests {
    /// An answer of a printer: two attributes of the operation, two of the printer.
    private static let answer: [UInt8] = {
        func attribute(_ tag: UInt8, _ name: String, _ value: String) -> [UInt8] {
            [tag, 0, UInt8(name.utf8.count)] + name.utf8 + [0, UInt8(value.utf8.count)] + value.utf8
        }
        return [2, 0, 0, 0, 0, 0, 0, 1, 1] + attribute(0x47, "attributes-charset", "utf-8")
            + attribute(0x48, "attributes-natural-language", "en") + [4]
            + attribute(0x41, "printer-info", "Café") + attribute(0x41, "printer-device-id", "MFG:A;MDL:B;CMD:PDF;")
            + [3]
    }()

    @Test func asksForOneAttribute() {
        let message = IPPMessage.getPrinterAttribute("printer-device-id", of: "ipp://a/b")
        #expect(Array(message.prefix(9)) == [1, 1, 0, 0x0B, 0, 0, 0, 1, 1] && message.last == 3)
        #expect(IPPMessage.code(message) == 0x0B)
        #expect(IPPMessage.value(of: "printer-uri", in: message) == Array("ipp://a/b".utf8))
        #expect(IPPMessage.value(of: "requested-attributes", in: message) == Array("printer-device-id".utf8))
        #expect(IPPMessage.value(of: "printer-name", in: message) == nil)
    }

    @Test func findsAnAttribute() {
        #expect(IPPMessage.value(of: "printer-device-id", in: Self.answer) == Array("MFG:A;MDL:B;CMD:PDF;".utf8))
    }

    @Test func survivesDamage() {
        for length in 0..<Self.answer.count {
            let found = IPPMessage.value(of: "printer-device-id", in: Array(Self.answer.prefix(length)))
            #expect(found == nil || length == Self.answer.count - 1)
        }
        for index in Self.answer.indices {
            for value: UInt8 in [0, 0x7F, 0xFF] {
                var damaged = Self.answer
                damaged[index] = value
                let found = IPPMessage.value(of: "printer-device-id", in: damaged)
                #expect(found.map { $0.count <= damaged.count } ?? true)
            }
        }
    }

    @Test func takesOnlyRealDeviceIDs() {
        let id = Array("MFG:A;MDL:B;CMD:PDF;".utf8)
        #expect(PrinterClass.deviceID(ofPrinter: id) == [0, UInt8(id.count + 2)] + id)
        #expect(PrinterClass.deviceID(ofPrinter: Array("MANUFACTURER:A;MODEL:B;COMMAND SET:PDF".utf8)) != nil)
        for text in [
            "", "MFG:A;MDL:B;", "MFG:A;MDL:B;CMD:\u{e9};", "MFG:A;MDL:B;CMD:" + String(repeating: "a", count: 1010),
        ] {
            #expect(PrinterClass.deviceID(ofPrinter: Array(text.utf8)) == nil)
        }
    }
}
