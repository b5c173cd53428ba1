import ControlProtocol
import Foundation
import GuestLab
import Testing

extension EndToEnd.GuestTests {
    /// Guests without any network card, on networks that devices give them, bound by the kernel's own cdc_ncm.
    @Suite("Networks", .serialized) struct NetworkTests {
        private static func device(_ name: String, on network: String, kind: String) -> String {
            """
            [[device]]
            name = "\(name)"
            interfaces = [{ kind = "\(kind)", name = "link", network = "\(network)" }]

            """
        }

        private static let cable = ["west", "east"].map { device($0, on: "cable", kind: "point-to-point") }.joined()

        /// What an operator reads of an interface.
        private func backend(_ device: String, _ lab: LabEnvironment) async throws -> String {
            try await lab.device(device).interface("link")?.backend ?? ""
        }

        /// NETWORK_DATAGRAMS in the environment sets how many numbered datagrams go over the cable.
        @Test(.timeLimit(.minutes(20))) func twoGuestsOnACable() async throws {
            let datagrams = ProcessInfo.processInfo.environment["NETWORK_DATAGRAMS"].flatMap { Int($0) } ?? 20_000
            let guests = try LabGuests.here
            async let bootLeft = guests.peer("left")
            async let bootRight = guests.peer("right")
            let (left, right) = try await (bootLeft, bootRight)
            try await LabEnvironment.use(vms: guests.source, devices: Self.cable) { lab in
                try await lab.startEngine()
                try await lab.check("plug", "west", "left")
                let near = try await GuestLink.join(left, "west", "10.9.0.1")
                #expect(
                    try await left.check("basename $(readlink /sys/class/net/\(near.name)/device/driver)") == "cdc_ncm")
                #expect(try await near.value("mtu") == "1500")
                #expect(try await left.check("ls /sys/class/net | grep -v lo") == near.name, "no other network")
                try await near.waitForCarrier(false)
                #expect(try await backend("west", lab).hasPrefix("network cable with east/link (down);"))

                try await lab.check("plug", "east", "right")
                let far = try await GuestLink.join(right, "east", "10.9.0.2")
                try await near.waitForCarrier(true)
                try await far.waitForCarrier(true)
                #expect(try await near.value("speed") == "4000", "SuperSpeed's, without its coding")
                #expect(try await near.pings(far.address, count: 50) == 50)

                // Bulk both ways, then a file by its hash.
                let there = try await near.throughput(to: far, mebibytes: 16)
                let back = try await near.throughput(to: far, mebibytes: 16, isReverse: true)
                print("Networks: iperf3 over the cable: \(Int(there)) Mb/s there, \(Int(back)) Mb/s back")
                let sum = try await right.sum(
                    "mkdir -p /tmp/www && head -c 8000000 /dev/urandom | tee /tmp/www/file; httpd -p 80 -h /tmp/www")
                #expect(try await left.sum("wget -q -O - http://\(far.address)/file", seconds: 120) == sum)
                try await right.check("killall httpd; rm -r /tmp/www")

                // Each frame once and in its place.
                let clock = ContinuousClock.now
                let report = try await NumberedDatagrams(count: datagrams).send(from: near, to: far)
                print("Networks: \(datagrams) datagrams in \(ContinuousClock.now - clock): \(report.text)")
                #expect(report.received + report.missing == datagrams)
                #expect(report.missing == report.droppedByGuests, "\(report.text)")
                #expect(report.misplaced <= report.missing, "\(report.text)")
                try await eventually("the counters of both ends to agree") {
                    let sent = [try await near.count("tx_packets"), try await far.count("tx_packets")]
                    let received = [try await far.count("rx_packets"), try await near.count("rx_packets")]
                    return sent == received
                }
                #expect(try await far.count("rx_errors") == 0)
                #expect(try await near.count("rx_errors") == 0)
                #expect(try await backend("west", lab).hasSuffix(", 0 dropped"))
                #expect(try await lab.check("interfaces").contains("network cable with west/link; "))

                // The carrier is the other end's plug.
                let address = try await far.value("address")
                var began = ContinuousClock.now
                try await lab.check("unplug", "east")
                try await near.waitForCarrier(false)
                print("Networks: no carrier \(ContinuousClock.now - began) after the other end's unplug was asked for")
                #expect(try await lab.check("events").contains("no carrier"))
                began = ContinuousClock.now
                try await lab.check("plug", "east", "right")
                try await near.waitForCarrier(true)
                print("Networks: carrier \(ContinuousClock.now - began) after the other end's plug was asked for")
                let again = try await GuestLink.join(right, "east", "10.9.0.2")
                #expect(try await again.value("address") == address, "the address is the device's")
                #expect(try await backend("east", lab).contains("; \(address); "))
                #expect(try await near.pings(again.address) == 20)
            }
        }

        @Test func blocksThatLieAreDropped() async throws {
            let guests = try LabGuests.here
            let (left, right) = (try await guests.peer("left"), try await guests.peer("right"))
            try await LabEnvironment.use(vms: guests.source, devices: Self.cable) { lab in
                try await lab.startEngine()
                try await lab.check("plug", "west", "left")
                try await lab.check("plug", "east", "right")
                let far = try await GuestLink.join(right, "east", "10.9.0.2")
                let before = try await far.count("rx_packets")
                try await LyingBlocks.send(from: left, serial: "west")
                try await eventually("the good block's frame") { try await far.count("rx_packets") == before + 1 }
                let text = try await backend("west", lab)
                #expect(text.hasSuffix("\(LyingBlocks.count) dropped (\(LyingBlocks.count) malformed)"), "\(text)")
                #expect(try await lab.check("events").contains("dropped 1 malformed"), "told once")
                // The driver has it back, and it works.
                let near = try await GuestLink.join(left, "west", "10.9.0.1")
                try await far.waitForCarrier(true)
                #expect(try await near.pings(far.address) == 20)
                #expect(try await far.count("rx_errors") == 0)
            }
        }

        @Test func networksAreSwitchesAndKeepApart() async throws {
            let guests = try LabGuests.here
            async let bootLeft = guests.peer("left")
            async let bootRight = guests.peer("right")
            async let bootThird = guests.peer("third")
            let (left, right, third) = try await (bootLeft, bootRight, bootThird)
            let devices =
                ["desk1", "desk2", "desk3"].map { Self.device($0, on: "office", kind: "point-to-multipoint") }
                + ["bench2", "bench3"].map { Self.device($0, on: "lab", kind: "point-to-multipoint") }
            try await LabEnvironment.use(vms: guests.source, devices: devices.joined()) { lab in
                try await lab.startEngine()
                for (device, guest) in [
                    ("desk1", "left"), ("desk2", "right"), ("desk3", "third"), ("bench2", "right"), ("bench3", "third"),
                ] {
                    try await lab.check("plug", device, guest)
                }
                let desk1 = try await GuestLink.join(left, "desk1", "10.8.0.1")
                let desk2 = try await GuestLink.join(right, "desk2", "10.8.0.2")
                let desk3 = try await GuestLink.join(third, "desk3", "10.8.0.3")
                let bench2 = try await GuestLink.join(right, "bench2", "10.7.0.2")
                let bench3 = try await GuestLink.join(third, "bench3", "10.7.0.3")
                for link in [desk1, desk2, desk3, bench2, bench3] { try await link.waitForCarrier(true) }

                // A capture at a member of each network, while both have traffic for one and for all.
                let files = try await capture(on: [desk3, bench3])
                #expect(try await desk1.pings(desk2.address) == 20)
                #expect(try await desk1.pings(desk3.address) == 20)
                #expect(try await desk2.pings(desk3.address) == 20)
                #expect(try await bench2.pings(bench3.address) == 20)
                try await left.check("arping -q -c 5 -w 10 -I \(desk1.name) 10.8.0.99 || true", timeout: .seconds(60))
                let rate = try await desk1.throughput(to: desk2, mebibytes: 8)
                print("Networks: iperf3 over the switch: \(Int(rate)) Mb/s")
                try await third.check("sleep 1; killall tcpdump; while killall -0 tcpdump; do usleep 50000; done 2>&1")
                let office = try await third.check("cat \(files[0])").split(separator: "\n")
                let bench = try await third.check("cat \(files[1])").split(separator: "\n")
                #expect(office.contains { $0.contains("10.8.0.1 > 10.8.0.3: ICMP echo request") })
                #expect(office.contains { $0.contains("who-has 10.8.0.99") })
                #expect(bench.contains { $0.contains("10.7.0.2 > 10.7.0.3: ICMP echo request") })
                #expect(!office.contains { $0.contains("10.7.0.") } && !bench.contains { $0.contains("10.8.0.") })
                #expect(!office.contains { $0.contains("10.8.0.1 > 10.8.0.2") || $0.contains("10.8.0.1.") })
                #expect(try await bench3.count("rx_packets") == (try await bench2.count("tx_packets")))
                #expect(try await bench2.count("rx_packets") == (try await bench3.count("tx_packets")))

                try await nobodySpeaksForOthers(desk1, desk2, lab)

                // One leaves; the others stay.
                try await lab.check("unplug", "desk3")
                #expect(try await desk1.pings(desk2.address) == 20)
                #expect(try await desk1.pings(desk3.address, count: 1) == 0)
                #expect(try await bench2.pings(bench3.address) == 20)
                let text = try await backend("desk1", lab)
                #expect(text.contains("network office with desk2/link, desk3/link (down); "), "\(text)")
            }
        }

        /// The guest reaches the host through a TAP interface that is a member like others.
        @Test(.enabled(if: getuid() == 0 && access("/dev/net/tun", R_OK | W_OK) == 0, "a TAP interface needs root"))
        func aTapInterfaceIsTheWayOut() async throws {
            let tap = "2v\(getpid())"
            let guests = try LabGuests.here
            let guest = try await guests.peer("left")
            let device = """
                [[device]]
                name = "desk"
                interfaces = [{ kind = "point-to-multipoint", name = "link", network = "office", uplink = "\(tap)" }]
                """
            try await LabEnvironment.use(vms: guests.source, devices: device) { lab in
                try await lab.startEngine()
                try await lab.host("ip addr add 10.6.0.1/24 dev \(tap) && ip link set \(tap) up")
                let sum = try await lab.host(
                    "mkdir www && head -c 4000000 /dev/urandom >www/file && httpd -p 10.6.0.1:8086 -h www && sha256sum www/file"
                )
                try await lab.check("plug", "desk", "left")
                let link = try await GuestLink.join(guest, "desk", "10.6.0.2")
                try await link.waitForCarrier(true)
                #expect(try await link.pings("10.6.0.1") == 20)
                let got = try await guest.sum("wget -q -O - http://10.6.0.1:8086/file", seconds: 90)
                #expect(got == String(sum.prefix(64)))
                #expect(try await backend("desk", lab).hasPrefix("network office with uplink \(tap); "))
                try await lab.check("unplug", "desk")
            }
            #expect(access("/sys/class/net/\(tap)", F_OK) != 0, "it went with the engine")
        }

        /// Writes what interfaces of one guest receive and send into files there.
        private func capture(on links: [GuestLink]) async throws -> [String] {
            var files: [String] = []
            for link in links {
                let file = "/tmp/capture-\(link.name)"
                // It wants to become this user.
                try await link.guest.check(
                    """
                    grep -q ^tcpdump: /etc/passwd || echo tcpdump:x:0:0::/:/bin/sh >>/etc/passwd
                    tcpdump -i \(link.name) -n -e -l >\(file) 2>\(file).log &
                    until grep -q listening \(file).log; do
                        usleep 50000
                        kill -0 $! || { cat \(file).log; exit 1; }
                    done
                    """)
                files.append(file)
            }
            return files
        }

        /// Frames from an address that is not the interface's go nowhere, be it a neighbour's or nobody's.
        private func nobodySpeaksForOthers(
            _ liar: GuestLink, _ neighbour: GuestLink, _ lab: LabEnvironment
        ) async throws {
            let own = try await liar.value("address")
            for wrong in [try await neighbour.value("address"), "02:00:00:00:00:07"] {
                let before = try await neighbour.count("rx_packets")
                try await liar.change(address: wrong)
                #expect(try await liar.pings(neighbour.address, count: 3) == 0)
                #expect(try await neighbour.count("rx_packets") == before)
            }
            try await liar.change(address: own)
            #expect(try await liar.pings(neighbour.address) == 20)
            let text = try await backend("desk1", lab)
            #expect(text.contains("spoofed)"), "\(text)")
            #expect(try await lab.check("events").contains("dropped 1 spoofed"))
        }
    }
}

extension GuestLink {
    /// Gives the interface another hardware address.
    func change(address: String) async throws {
        try await guest.check(
            "ip link set \(name) down && ip link set \(name) address \(address) && ip link set \(name) up")
        try await waitForCarrier(true)
    }
}
