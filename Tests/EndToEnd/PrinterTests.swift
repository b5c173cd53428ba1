import ControlProtocol
import Foundation
import GuestLab
import NIOConcurrencyHelpers
import Testing

extension EndToEnd.GuestTests {
    /// Jobs that a guest prints through its own usblp.
    @Suite("Printer", .serialized) struct PrinterTests {
        private static let size = 20_000_000

        private static func printer(_ to: String) -> String {
            """
            [[device]]
            name = "office"
            interfaces = [{ kind = "printer", name = "lp", to = "\(to)" }]
            """
        }

        private func plug(_ lab: LabEnvironment, into guest: Guest) async throws {
            try await lab.startEngine()
            try await lab.check("plug", "office", "xhci")
            try await eventually("a printer in the guest") {
                try await guest.run("test -c /dev/usb/lp0").exitCode == 0
            }
        }

        @Test func aJobBecomesOneFile() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.guest(.xhci)
            try await LabEnvironment.use(vms: guests.source, devices: Self.printer("spool:@/spool")) { lab in
                let spool = lab.directory + "/spool"
                try FileManager.default.createDirectory(atPath: spool, withIntermediateDirectories: true)
                try await plug(lab, into: guest)
                let id = try await guest.check("cat /sys/bus/usb/devices/*/ieee1284_id")
                #expect(id == "MFG:2Virt;MDL:Printer lp;CMD:RAW;CLS:PRINTER;SN:lp;")
                let sum = try await guest.sum("head -c \(Self.size) /dev/urandom | tee /tmp/job", seconds: 120)
                try await guest.check("cat /tmp/job >/dev/usb/lp0; rm /tmp/job", timeout: .seconds(120))
                var files: [String] = []
                try await eventually("the job in the spool folder") {
                    files = try FileManager.default.contentsOfDirectory(atPath: spool)
                    return files.count == 1 && files[0].hasSuffix(".prn")
                }
                let file = "\(spool)/\(files[0])"
                #expect(try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int == Self.size)
                #expect(try await DiskImage.sum(of: file) == sum)
                // A second one is another file.
                try await guest.check("echo second >/dev/usb/lp0")
                try await eventually("the second job") {
                    try FileManager.default.contentsOfDirectory(atPath: spool).count { $0.hasSuffix(".prn") } == 2
                }
                try await lab.check("unplug", "office")
            }
        }

        @Test func aJobSurvivesAPrinterThatIsSlow() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.guest(.xhci)
            let port = try await RawPrinter.start()
            try await LabEnvironment.use(
                vms: guests.source, devices: Self.printer("tcp:127.0.0.1:\(port.number)")
            ) { lab in
                try await plug(lab, into: guest)
                let sum = try await guest.sum("head -c \(Self.size) /dev/urandom | tee /tmp/job", seconds: 120)
                async let printed = guest.check("cat /tmp/job >/dev/usb/lp0; rm /tmp/job", timeout: .seconds(180))

                // It takes nothing: the guest waits, for longer than the silence that ends a job.
                try await eventually("a connection") { port.jobs == 1 }
                var taken: UInt64 = 0
                var since = ContinuousClock.now
                try await eventually("five seconds without a byte", seconds: 60) {
                    let now = try await lab.device("office").counters.bytesOut
                    if now != taken { (taken, since) = (now, .now) }
                    return taken > 0 && ContinuousClock.now - since > .seconds(5)
                }
                #expect(taken < UInt64(Self.size) / 2, "what waits is in the guest, not in the engine: \(taken)")

                try port.read(bytesPerSecond: 8_000_000)
                _ = try await printed
                try await eventually("the end of the job", seconds: 60) { port.ended == 1 }
                #expect(port.jobs == 1)
                let file = lab.directory + "/printed"
                try port.received.write(to: URL(filePath: file))
                #expect(port.received.count == Self.size)
                #expect(try await DiskImage.sum(of: file) == sum)
                try await eventually("the event") { try await lab.check("events").contains("printed to tcp:127.0.0.1") }
                try await lab.check("unplug", "office")
            }
            try await port.close()
        }
    }
}
