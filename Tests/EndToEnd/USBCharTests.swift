import Foundation
import GuestLab
import ReferenceFirmware
import Testing

extension EndToEnd.GuestTests {
    /// The raw character device, by the kernel's generic serial driver and by a program at usbfs.
    @Suite("USB-char", .serialized) struct USBCharTests {
        @Test func bytesGoBothWaysAndALostConnectionRecovers() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.peer("left")
            let server = try await EchoServer.start()
            let device = """
                [[device]]
                name = "pipe"
                interfaces = [{ kind = "usb-char", name = "pipe", to = "127.0.0.1:\(server.port)" }]
                """
            try await LabEnvironment.use(vms: guests.source, devices: device) { lab in
                try await lab.startEngine()
                try await lab.check("plug", "pipe", "left")
                let place = try await guest.check("dirname $(grep -lx pipe /sys/bus/usb/devices/*/serial)")
                let port = place.split(separator: "/").last.map(String.init) ?? ""
                #expect(
                    try await guest.check("cd \(place)/\(port):1.0 && echo $(ls -d ep_*) $(cat bInterfaceClass)")
                        == "ep_02 ep_81 ff")

                try await guest.check("modprobe usbserial vendor=0x02a0 product=0xa123")
                try await eventually("a serial port") { try await guest.run("test -c /dev/ttyUSB0").exitCode == 0 }
                try await guest.echo(bytes: 1_000_000, through: "/dev/ttyUSB0")
                try await guest.check(
                    "echo \(port):1.0 >/sys/bus/usb/drivers/usbserial_generic/unbind; rmmod usbserial")
                #expect(server.accepted == 1, "one connection for each configuration")

                // The server goes away under a program's hands.
                async let report = guest.check("perl -e '\(Self.program)' \(place)", timeout: .seconds(90))
                try await guest.check("until [ -e /tmp/echoed ]; do usleep 20000; done")
                try await server.hangUp()
                #expect(try await report == "echoed stalled recovered")
                #expect(server.accepted == 2)
                #expect(try await lab.check("events").contains("connection ended"))
                #expect(try await lab.check("interfaces").contains("127.0.0.1:\(server.port)"))
                try await lab.check("unplug", "pipe")
            }
            try await server.stop()
        }

        /// The one that the catalogue simulates, and those that our firmware in Embedded Swift is on emulated chips, whose
        /// other end is the board's serial port: the guest's driver and program are the same for all.
        @Test func simulatedAndEmulatedAreTheSameToTheGuest() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.peer("left")
            let server = try await EchoServer.start()
            let simulated = """
                [[device]]
                name = "pipe"
                interfaces = [{ kind = "usb-char", name = "pipe", to = "127.0.0.1:\(server.port)" }]
                """
            try await LabEnvironment.use(vms: guests.source, devices: simulated) { lab in
                for (name, firmware) in [
                    ("f072", ReferenceFirmware.usbCharSTM32F072), ("f103", ReferenceFirmware.usbCharSTM32F103),
                ] {
                    try Data(firmware.image).write(to: URL(fileURLWithPath: "\(lab.directory)/\(name).elf"))
                    try lab.add(
                        """
                        [[device]]
                        name = "\(name)"
                        firmware = "\(lab.directory)/\(name).elf"
                        board = "\(firmware.board)"
                        uart = "unix:\(lab.directory)/\(name).uart"
                        """)
                }
                try await lab.startEngine()
                for (name, id) in [("pipe", "02a0 a123"), ("f072", "1209 0020"), ("f103", "1209 0020")] {
                    // What comes out of the board's serial port goes in again.
                    let echo = name == "pipe" ? nil : try await EchoPeer.connect(to: "\(lab.directory)/\(name).uart")
                    let mark = guest.kernelLogMark
                    try await lab.check("plug", name, "left")
                    try await guest.check("modprobe usbserial; echo \(id) >/sys/bus/usb-serial/drivers/generic/new_id")
                    try await eventually("a serial port") { try await guest.run("test -c /dev/ttyUSB0").exitCode == 0 }
                    try await guest.echo(bytes: 100_000, through: "/dev/ttyUSB0")
                    try await lab.check("unplug", name)
                    try await guest.waitForDisconnect(since: mark)
                    try await echo?.close()
                }
                #expect(server.accepted == 1)
            }
            try await guest.check("rmmod usbserial")
            try await server.stop()
        }

        private static let program = """
            sub value { open(V, "<", "$ARGV[0]/$_[0]") or die $!; return <V> + 0; }
            open(F, "+<", sprintf("/dev/bus/usb/%03d/%03d", value("busnum"), value("devnum"))) or die $!;
            sub request { my ($code, $data) = @_; return ioctl(F, $code, $data); }
            # CLAIMINTERFACE, BULK, CLEAR_HALT.
            request(0x8004550F, pack("I", 0)) or die "claim: $!";
            sub bulk {
                my ($endpoint, $text) = @_;
                my $done = request(0xC0185502, pack("IIIx4P", $endpoint, length $text, 20000, $text));
                return defined $done ? substr($text, 0, $done) : $! + 0;
            }
            sub echo {
                my $text = $_[0];
                bulk(2, $text) eq $text or die "out: $!";
                my $got = bulk(0x81, "." x 512);
                $got eq $text or die "in: $got";
            }
            echo("hello");
            print "echoed ";
            open(E, ">", "/tmp/echoed") or die $!;
            close(E);
            # EPIPE, 32.
            bulk(0x81, "." x 512) == 32 or die "in does not stall: $!";
            bulk(2, "lost") == 32 or die "out does not stall: $!";
            print "stalled ";
            for (0x81, 2) { request(0x80045515, pack("I", $_)) or die "clear: $!"; }
            echo("again");
            print "recovered";
            unlink "/tmp/echoed";
            """
    }
}
