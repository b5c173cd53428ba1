import Foundation
import GuestLab
import SimulatedFirmware
import Testing
import USBCore
import USBIP

extension EndToEnd.GuestTests {
    /// Devices over the network into a real guest, by Debian's tool and by ours.
    @Suite("USB/IP", .serialized) struct USBIPTests {
        static let tools = [Tool.usbip, .guestClient]
        /// How often the loop test attaches and detaches.
        static let rounds = 200

        /// What attaches a device in the guest.
        enum Tool: Sendable, CustomTestStringConvertible {
            case usbip, guestClient

            var testDescription: String { self == .usbip ? "usbip" : "2virt-guest" }

            func attach(_ busID: String, from bench: ExporterBench) -> String {
                switch self {
                case .usbip: "usbip --tcp-port \(bench.port) attach -r 10.0.2.2 -b \(busID)"
                case .guestClient: "2virt-guest attach \(bench.address) \(busID)"
                }
            }

            /// Takes the only device out.
            var detachAll: String {
                switch self {
                case .usbip:
                    "usbip detach -p $(usbip port 2>/dev/null | sed -n 's/^Port \\([0-9]*\\):.*/\\1/p' | head -n 1)"
                case .guestClient:
                    "2virt-guest detach $(2virt-guest ports | sed -n 's/^port \\([0-9]*\\) .*/\\1/p' | head -n 1)"
                }
            }
        }

        @Test(arguments: tools) func aDeviceIsListedAttachedUsedDetachedAndAttachedAgain(_ tool: Tool) async throws {
            let guest = try await LabGuests.here.networked()
            try await LabEnvironment.use(vms: "", devices: "") { lab in
                let web = try await WebServer.start(in: lab)
                try web.put("hello", text: "by wire\n")
                try await ExporterBench.use { bench in
                    let desk = try await bench.add(
                        "desk",
                        [
                            .serial(name: "tty", to: "unix:\(lab.serialSocket)"),
                            .webService(name: "web", upstreams: ["127.0.0.1:\(web.port)"]),
                        ])
                    try await guest.check("modprobe vhci-hcd")
                    switch tool {
                    case .usbip:
                        let list = try await guest.check("usbip --tcp-port \(bench.port) list -r 10.0.2.2")
                        #expect(list.contains("\(desk.busID): ") && list.contains("02a0:a123"))
                    case .guestClient:
                        let list = try await guest.check("2virt-guest list --remote \(bench.address)")
                        #expect(list.hasPrefix("\(desk.busID)  02a0:a123  high"))
                    }
                    for round in 1...2 {
                        let mark = guest.kernelLogMark
                        try await guest.check(tool.attach(desk.busID, from: bench))
                        try await guest.waitForKernelLog(containing: "SerialNumber: desk", since: mark)
                        try await guest.waitForKernelLog(containing: "ttyACM0", since: mark)
                        #expect(bench.exporter.importer(of: desk.busID) != nil)
                        let others = try await guest.check("2virt-guest list --remote \(bench.address) 2>&1")
                        #expect(others.contains("offers no device"))

                        let peer = try await EchoPeer.connect(to: lab.serialSocket)
                        #expect(
                            try await guest.check(
                                """
                                stty -F /dev/ttyACM0 raw -echo
                                exec 3<>/dev/ttyACM0
                                echo round\(round) >&3
                                head -n 1 <&3
                                """) == "round\(round)")
                        try await peer.close()
                        try await guest.startProxy()
                        #expect(try await guest.check("wget -qO- http://127.0.0.1:8080/hello") == "by wire")
                        try await guest.stopProxy()

                        let left = guest.kernelLogMark
                        try await guest.check(tool.detachAll)
                        try await guest.waitForDisconnect(since: left)
                        try await eventually("a free device") { bench.exporter.importer(of: desk.busID) == nil }
                        #expect(try await guest.check("2virt-guest ports --json") == "[]")
                    }
                    #expect(bench.attachments(of: desk) == 2)
                }
            }
        }

        /// 2virt-guest, which returns once the guest has the device: each round enumerates it.
        @Test(.timeLimit(.minutes(10))) func twoHundredRoundsLeaveNoPortStuck() async throws {
            let guest = try await LabGuests.here.networked()
            try await LabEnvironment.use(vms: "", devices: "") { lab in
                try await ExporterBench.use { bench in
                    let lamp = try await bench.add("lamp", [.serial(name: "tty", to: "unix:\(lab.serialSocket)")])
                    let start = ContinuousClock.now
                    try await guest.check(
                        """
                        round=0
                        while [ $round -lt \(Self.rounds) ]; do
                            round=$((round + 1))
                            2virt-guest attach \(bench.address) \(lamp.busID) >/tmp/round 2>&1 &&
                            2virt-guest detach \(lamp.busID) >>/tmp/round 2>&1 ||
                            { echo "round $round:"; cat /tmp/round; 2virt-guest ports; exit 1; }
                        done
                        """, timeout: .seconds(580))
                    let seconds = (ContinuousClock.now - start) / .seconds(1)
                    print("USB/IP: \(Self.rounds) attach and detach rounds in \(seconds) s")
                    #expect(bench.attachments(of: lamp) == Self.rounds)
                    #expect(bench.refusals().isEmpty)
                    #expect(try await guest.check("2virt-guest ports --json") == "[]")
                    #expect(try await guest.check("ls /var/run/vhci_hcd") == "")
                }
            }
        }

        @Test func aDropByTheHostIsAnUnplugAndTheDeviceCanBeAttachedAgain() async throws {
            let guest = try await LabGuests.here.networked()
            try await LabEnvironment.use(vms: "", devices: "") { lab in
                try await ExporterBench.use { bench in
                    let lamp = try await bench.add("lamp", [.serial(name: "tty", to: "unix:\(lab.serialSocket)")])
                    for _ in 1...3 {
                        try await guest.check("2virt-guest attach \(bench.address) lamp")
                        let mark = guest.kernelLogMark
                        #expect(await bench.exporter.release(busID: lamp.busID, reason: "test"))
                        try await guest.waitForDisconnect(since: mark)
                        try await eventually("a free port") {
                            try await guest.check("2virt-guest ports --json") == "[]"
                        }
                    }
                }
            }
        }

        @Test func aDeviceRemovedBySysfsIsShownAndComesBack() async throws {
            let guest = try await LabGuests.here.networked()
            try await LabEnvironment.use(vms: "", devices: "") { lab in
                try await ExporterBench.use { bench in
                    let lamp = try await bench.add("lamp", [.serial(name: "tty", to: "unix:\(lab.serialSocket)")])
                    let remove = "echo 1 >$(dirname $(grep -lx lamp /sys/bus/usb/devices/*/serial))/remove"
                    try await guest.check("2virt-guest attach \(bench.address) \(lamp.busID)")
                    try await guest.check(remove)
                    #expect(try await guest.check("2virt-guest ports").contains("removed in this guest"))
                    // The port still holds the device; attaching it again must not end in “busy”.
                    try await guest.check("2virt-guest attach \(bench.address) \(lamp.busID)")
                    #expect(bench.attachments(of: lamp) == 2)
                    try await guest.check(remove)
                    try await guest.check("2virt-guest detach \(lamp.busID)")
                    #expect(try await guest.check("2virt-guest ports --json") == "[]")
                    try await eventually("a free device") { bench.exporter.importer(of: lamp.busID) == nil }
                }
            }
        }

        @Test func ofTwoGuestsOneWinsAndTheOtherIsToldWhy() async throws {
            let guests = try LabGuests.here
            let (first, second) = (try await guests.networked(), try await guests.networked("net-two"))
            try await LabEnvironment.use(vms: "", devices: "") { lab in
                try await ExporterBench.use { bench in
                    let lamp = try await bench.add("lamp", [.serial(name: "tty", to: "unix:\(lab.serialSocket)")])
                    for guest in [first, second] { try await guest.check("modprobe vhci-hcd") }
                    var winners: Set<String> = []
                    for round in 1...5 {
                        let command = "2virt-guest attach \(bench.address) \(lamp.busID)"
                        async let one = first.run(command)
                        async let two = second.run(command)
                        let results = [(first, try await one), (second, try await two)]
                        let won = results.filter { $0.1.exitCode == 0 }
                        let lost = results.filter { $0.1.exitCode != 0 }
                        try #require(won.count == 1 && lost.count == 1, "\(results.map(\.1.text))")
                        #expect(lost[0].1.exitCode == 4)
                        #expect(lost[0].1.text.contains("busy: another client has it"))
                        #expect(bench.refusals().count == round)
                        #expect(bench.refusals().last?.contains("lamp") ?? false)
                        winners.insert(won[0].0.name)
                        try await won[0].0.check("2virt-guest detach \(lamp.busID)")
                        try await eventually("a free device") { bench.exporter.importer(of: lamp.busID) == nil }
                    }
                    print("USB/IP: races won by \(winners.sorted())")
                }
            }
        }

        @Test func failuresAreToldApart() async throws {
            let guest = try await LabGuests.here.networked()
            try await LabEnvironment.use(vms: "", devices: "") { lab in
                try await ExporterBench.use { bench in
                    try await bench.add("lamp", [.serial(name: "tty", to: "unix:\(lab.serialSocket)")])
                    try await guest.check(
                        """
                        modprobe vhci-hcd
                        grep -q nobody /etc/passwd || echo nobody:x:65534:65534::/:/bin/sh >>/etc/passwd
                        """)
                    let cases: [(command: String, status: Int, says: String)] = [
                        ("2virt-guest attach \(bench.address) 9-9", 3, "no device '9-9'"),
                        ("2virt-guest attach 10.0.2.2:1 1-1", 6, "connection refused"),
                        ("2virt-guest attach 10.0.2.2:70000 1-1", 2, "70000"),
                        ("2virt-guest attach no.such.host 1-1", 6, "not known"),
                        ("2virt-guest detach 1-1", 3, "nothing is attached as '1-1'"),
                        ("su nobody -s /bin/sh -c '2virt-guest attach \(bench.address) 1-1'", 5, "needs root"),
                        (
                            "mount -t tmpfs none /lib/modules; modprobe -r vhci-hcd || rmmod vhci_hcd; "
                                + "2virt-guest attach \(bench.address) 1-1; status=$?; umount /lib/modules; exit $status",
                            7, "no vhci-hcd"
                        ),
                    ]
                    for (command, status, says) in cases {
                        let result = try await guest.run(command)
                        #expect(result.exitCode == status && result.text.contains(says), "\(command): \(result.text)")
                    }
                    // Nothing is left behind: it works at once.
                    try await guest.check("2virt-guest attach \(bench.address) 1-1 && 2virt-guest detach 1-1")
                }
            }
        }
    }
}
