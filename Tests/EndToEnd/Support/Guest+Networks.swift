import Foundation
import GuestLab

extension LabGuests {
    /// A guest without a network card, with tools that measure and watch networks.
    func peer(_ name: String) async throws -> Guest {
        let contents = GuestContents(packages: ["iperf3", "tcpdump", "perl-base"])
        return try await guest(name) {
            GuestConfiguration(
                name: name, image: try await GuestImageBuilder().build(contents), memoryMiB: 384,
                qmpDirectory: $0.qmpDirectory)
        }
    }
}

/// A guest's interface on a network that a device has given it.
struct GuestLink {
    let guest: Guest
    /// Such as `usb0`.
    let name: String
    /// IPv4, of a network of 24 bits.
    let address: String

    /// Waits for the interface of the USB device with this serial number and brings it up.
    ///
    /// Without IPv6: nothing is sent that a test does not send.
    static func join(_ guest: Guest, _ serial: String, _ address: String) async throws -> GuestLink {
        var name = ""
        try await eventually("a network interface of \(serial) in \(guest.name)") {
            let found = try await guest.run(
                """
                place=$(dirname $(grep -lx \(serial) /sys/bus/usb/devices/*/serial)) || exit 1
                entry=$(ls -d $place/*/net/*) && echo ${entry##*/}
                """)
            name = found.text
            return found.exitCode == 0
        }
        try await guest.check(
            """
            echo 1 >/proc/sys/net/ipv6/conf/\(name)/disable_ipv6
            ip addr add \(address)/24 dev \(name) && ip link set \(name) up
            """)
        return GuestLink(guest: guest, name: name, address: address)
    }

    /// An entry of the interface in sysfs.
    func value(_ entry: String) async throws -> String { try await guest.check("cat /sys/class/net/\(name)/\(entry)") }

    func count(_ statistic: String) async throws -> Int {
        let text = try await value("statistics/\(statistic)")
        guard let count = Int(text) else { throw LabEnvironment.Failure(description: "\(statistic) is “\(text)”") }
        return count
    }

    func waitForCarrier(_ isThere: Bool) async throws {
        try await eventually("\(name) of \(guest.name) with\(isThere ? "" : "out") carrier") {
            try await value("carrier") == (isThere ? "1" : "0")
        }
    }

    /// How many of `count` echo requests were answered.
    func pings(_ address: String, count: Int = 20) async throws -> Int {
        let output = try await guest.run("ping -A -c \(count) -W 2 \(address)", timeout: .seconds(90)).text
        guard let received = output.firstMatch(of: /([0-9]+) packets received/)?.1, let answers = Int(received) else {
            throw LabEnvironment.Failure(description: "ping: \(output)")
        }
        return answers
    }

    /// Megabits per second that iperf3's receiver has got over TCP.
    func throughput(to other: GuestLink, mebibytes: Int, isReverse: Bool = false) async throws -> Double {
        try await other.guest.check("iperf3 -s -1 -D; until grep -q ':1451 ' /proc/net/tcp*; do usleep 20000; done")
        let text = try await guest.check(
            "iperf3 -c \(other.address) -n \(mebibytes)M \(isReverse ? "-R" : "") -J", timeout: .seconds(180))
        struct Report: Decodable {
            struct End: Decodable { var sum_received: Sum }
            struct Sum: Decodable {
                var bytes: Int
                var bits_per_second: Double
            }
            var end: End
        }
        let sum = try JSONDecoder().decode(Report.self, from: Data(text.utf8)).end.sum_received
        guard sum.bytes > 0 else { throw LabEnvironment.Failure(description: "iperf3: \(text)") }
        return sum.bits_per_second / 1e6
    }
}
