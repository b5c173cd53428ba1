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
    }
}
