import ControlProtocol
import Foundation
import GuestLab
import Testing

extension EndToEnd.GuestTests {
    /// A printer over 7/1/4, bound by the daemon that Debian has for such printers, in a guest without a network card.
    @Suite("IPP printer", .serialized) struct IPPPrinterTests {
        private static let size = 6_000_000
        private static let uri = "ipp://localhost:60000/ipp/print"

        private func guest(_ guests: LabGuests) async throws -> Guest {
            try await guests.guest("printing") { guests in
                let contents = GuestContents(packages: ["ipp-usb", "cups-ipp-utils"])
                return GuestConfiguration(
                    name: "printing", image: try await GuestImageBuilder().build(contents), memoryMiB: 512,
                    qmpDirectory: guests.qmpDirectory)
            }
        }

        /// Starts the guest's daemon, as udev does where there is one.
        private func startDaemon(_ guest: Guest) async throws {
            try await guest.check(
                """
                ip link set lo up
                sed -i 's/dns-sd = enable/dns-sd = disable/' /etc/ipp-usb/ipp-usb.conf
                grep -q 'dns-sd = disable' /etc/ipp-usb/ipp-usb.conf
                ipp-usb standalone >/tmp/ipp-usb.log 2>&1 &
                """)
            do {
                try await eventually("the daemon's answer") {
                    try await ask(guest, "get-printer-attributes").exitCode == 0
                }
            } catch {
                let log = try await guest.run("cat /tmp/ipp-usb.log /var/log/ipp-usb/* | tail -n 60").text
                throw LabEnvironment.Failure(description: "\(error): \(log)")
            }
        }

        private func ask(_ guest: Guest, _ test: String, _ options: String = "") async throws -> CommandResult {
            try await guest.run(
                "ipptool -tv \(options) \(Self.uri) /usr/share/cups/ipptool/\(test).test 2>&1", timeout: .seconds(120))
        }

        @Test func aGuestsOwnDaemonReadsAttributesAndPrints() async throws {
            let guests = try LabGuests.here
            let guest = try await guest(guests)
            try await LabEnvironment.use(vms: guests.source, devices: "") { lab in
                let printer = try await IPPEverywherePrinter.start(in: lab)
                defer { printer.stop() }
                try lab.add(
                    """
                    [[device]]
                    name = "office"
                    interfaces = [
                      { kind = "ipp-printer", name = "lp", to = "ipp://127.0.0.1:\(printer.port)/ipp/print" }
                    ]
                    """)
                try await lab.startEngine()
                try await lab.check("plug", "office", guest.name)
                let interfaces = try await guest.check(
                    "cd /sys/bus/usb/devices; for i in *:*; do cat $i/bInterfaceClass $i/bInterfaceSubClass"
                        + " $i/bInterfaceProtocol | tr '\\n' ' '; done")
                #expect(interfaces.split(separator: "07 01 04", omittingEmptySubsequences: false).count == 3)
                try await startDaemon(guest)

                let attributes = try await ask(guest, "get-printer-attributes")
                #expect(attributes.exitCode == 0 && attributes.text.contains("[PASS]"))
                #expect(attributes.text.contains("= application/octet-stream,image/pwg-raster"))
                #expect(attributes.text.contains("printer-device-id (textWithoutLanguage) = MFG:Example"))

                let sum = try await guest.sum("head -c \(Self.size) /dev/urandom | tee /tmp/job", seconds: 120)
                let printed = try await ask(guest, "print-job", "-f /tmp/job -d filetype=image/pwg-raster")
                #expect(printed.exitCode == 0 && printed.text.contains("[PASS]"), "\(printed.text)")
                var file: String?
                try await eventually("the job in the printer's folder") {
                    file = try printer.job(ofSize: Self.size)
                    return file != nil
                }
                #expect(try await DiskImage.sum(of: try #require(file)) == sum)
                try await eventually("the event") {
                    try await lab.check("events").contains("printed to ipp://127.0.0.1:\(printer.port)/ipp/print")
                }
                let interface = try #require(try await lab.device("office").interface("lp"))
                #expect(interface.kind == "ipp-printer" && interface.backend.contains("1 of 1 up"))

                // Several at once, more than there are interfaces.
                let all = try await guest.check(
                    """
                    for i in 1 2 3 4 5 6; do
                      ipptool -q \(Self.uri) /usr/share/cups/ipptool/get-printer-attributes.test && echo good &
                    done
                    wait
                    """, timeout: .seconds(120))
                #expect(all.split(separator: "\n").count { $0 == "good" } == 6)

                // The printer goes and comes; the guest's daemon and its interfaces stay as they are.
                printer.switchOff()
                let away = try await ask(guest, "get-printer-attributes")
                #expect(away.exitCode != 0)
                try await printer.switchOn()
                try await eventually("attributes again") {
                    try await ask(guest, "get-printer-attributes").exitCode == 0
                }
                try await lab.check("unplug", "office")
                try await guest.check("kill $(pidof ipp-usb)")
            }
        }
    }
}
