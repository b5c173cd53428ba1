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
                _ = IPPMessage.retargeted(damaged) { $0 }
                let found = IPPMessage.value(of: "printer-device-id", in: damaged)
                #expect(found.map { $0.count <= damaged.count } ?? true)
            }
        }
    }

    private static func map(_ uri: String) -> String? { uri == "ipp://a/ipp/print" ? "ipp://printer/queue" : nil }

    @Test func aimsRequestsAtOnePrinter() {
        let message = IPPMessage.getPrinterAttribute("x", of: "ipp://a/ipp/print")
        let wanted = IPPMessage.getPrinterAttribute("x", of: "ipp://printer/queue")
        // Up to the end tag, however much of the rest is there.
        #expect(
            IPPMessage.retargeted(message + [1, 2, 3], by: Self.map)
                == .done(bytes: wanted.dropLast(), length: message.count - 1))
        for length in 0..<message.count {
            let found = IPPMessage.retargeted(Array(message.prefix(length)), by: Self.map)
            #expect(found == .incomplete || length == message.count)
        }
        let other = IPPMessage.getPrinterAttribute("x", of: "ipp://a/printers/b")
        #expect(
            IPPMessage.retargeted(other, by: Self.map) == .refused("'ipp://a/printers/b' was not given to this device"))
        var vendor = message
        vendor[2] = 0x40
        #expect(
            IPPMessage.retargeted(vendor, by: Self.map)
                == .refused("a vendor's own operation was not given to this device"))
        #expect(
            IPPMessage.retargeted([1, 1, 0, 11, 0, 0, 0, 1, 1, 3], by: Self.map)
                == .refused("the message names no printer"))
        #expect(
            IPPMessage.retargeted([1, 1, 0, 11, 0, 0, 0, 1, 2, 3], by: Self.map)
                == .refused("the message does not begin with operation attributes"))
    }

    @Test func aSecondTargetIsMappedToo() {
        func attribute(_ tag: UInt8, _ name: String, _ value: String) -> [UInt8] {
            [tag, 0, UInt8(name.utf8.count)] + name.utf8 + [0, UInt8(value.utf8.count)] + value.utf8
        }
        let head: [UInt8] = [2, 0, 0, 8, 0, 0, 0, 1, 1]
        let good = attribute(0x45, "printer-uri", "ipp://a/ipp/print")
        for second in [
            attribute(0x45, "job-uri", "ipp://a/jobs/1"), attribute(0x45, "", "ipp://a/b"),
            attribute(0x42, "printer-uri", "ipp://a/ipp/print"),
        ] {
            guard case .refused = IPPMessage.retargeted(head + good + second + [3], by: Self.map) else {
                Issue.record("\(second) was let through")
                continue
            }
        }
        let mapped = attribute(0x45, "printer-uri", "ipp://printer/queue")
        #expect(
            IPPMessage.retargeted(head + good + good + [2], by: Self.map)
                == .done(bytes: head + mapped + mapped, length: head.count + 2 * good.count))
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
