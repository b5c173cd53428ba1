import Foundation
import GuestLab

/// A web server of the host, used by a guest through our Web Service over usbredir and through a network card.
///
/// Same guest, same server, same programs, alternately; the peer is virtio-net with QEMU's user networking.
public struct WebBenchmark: Sendable {
    public let repetitions: Int
    /// The guest's program, on the host.
    public let guestClient: String
    /// Loopback port of a server that answers `/` with one line and `/bytes/N` with N bytes.
    public let serverPort: Int

    private static let peerName = "virtio-net user networking"
    private static let transfer = 64 << 20
    private static let requests = 200
    private static let keepAlive = "/usr/bin/keep-alive"
    /// How a guest reaches the host's loopback interface through user networking.
    private static let hostInGuest = "10.0.2.2"

    public init(repetitions: Int, guestClient: String, serverPort: Int) {
        self.repetitions = max(1, repetitions)
        self.guestClient = guestClient
        self.serverPort = serverPort
    }

    /// - Throws: the `apt-get` command that installs what is missing.
    public static func checkPrerequisites() throws { try LabPrerequisites.check() }

    public func run(progress: @escaping @Sendable (String) -> Void) async throws -> [BenchmarkResult] {
        let site = try await GuestSite.start(
            interface: "{ kind = \"web-service\", name = \"web\", upstreams = [\"127.0.0.1:\(serverPort)\"] }",
            progress: progress
        ) { configuration in
            // While it boots, the guest holds its files twice; the client of a debug build has 60 MB.
            configuration.memoryMiB = 512
            configuration.extraFiles = [
                GuestFile(path: "/usr/bin/2virt-guest", contents: .hostFile(guestClient)),
                GuestFile(path: Self.keepAlive, contents: .bytes(Data(Self.keepAliveScript.utf8))),
            ]
            configuration.extraArguments = [
                "-netdev", "user,id=bench-net", "-device", "virtio-net-pci,netdev=bench-net",
            ]
        }
        do {
            let results = try await measure(site, progress)
            try await site.stop()
            return results
        } catch {
            // What ended the run is worth more than what its cleaning up would say.
            try? await site.stop()
            throw error
        }
    }

    private func measure(
        _ site: GuestSite, _ progress: @Sendable (String) -> Void
    ) async throws -> [BenchmarkResult] {
        try await site.guest.check(
            """
            for card in /sys/class/net/*; do
                card=${card##*/}
                [ $card = lo ] || { ip address add 10.0.2.15/24 dev $card && ip link set $card up; }
            done
            2virt-guest proxy --wait --listen 127.0.0.1:8080 >/tmp/proxy.log 2>&1 &
            """)
        try await site.plug()
        let ours = Path(host: "127.0.0.1", port: 8080)
        let peer = Path(host: Self.hostInGuest, port: serverPort)
        for path in [ours, peer] {
            try await site.guest.check("until wget -q -O /dev/null \(path.url)/; do usleep 50000; done")
        }
        var bytes = (ours: [Double](), peer: [Double]())
        var requests = (ours: [Double](), peer: [Double]())
        for repetition in 0..<repetitions {
            progress("web service in the guest, round \(repetition + 1) of \(repetitions)")
            bytes.ours.append(try await download(ours, site.guest))
            bytes.peer.append(try await download(peer, site.guest))
            requests.ours.append(try await ask(ours, site.guest))
            requests.peer.append(try await ask(peer, site.guest))
        }
        return [
            try BenchmarkResult(
                name: "guest-web-download", ours: Statistics.median(bytes.ours) ?? 0,
                peer: Statistics.median(bytes.peer) ?? 0, peerName: Self.peerName, unit: "MB/s", higherIsBetter: true),
            try BenchmarkResult(
                name: "guest-web-requests", ours: Statistics.median(requests.ours) ?? 0,
                peer: Statistics.median(requests.peer) ?? 0, peerName: Self.peerName, unit: "requests/s",
                higherIsBetter: true),
        ]
    }

    /// Where the guest finds the server.
    private struct Path {
        var host: String
        var port: Int
        var url: String { "http://\(host):\(port)" }
    }

    /// Megabytes a second of one large body.
    private func download(_ path: Path, _ guest: Guest) async throws -> Double {
        let seconds = try await time(guest, "wget -q -O /dev/null \(path.url)/bytes/\(Self.transfer)")
        return Double(Self.transfer) / 1e6 / seconds
    }

    /// Small requests a second, one after the other on one connection.
    private func ask(_ path: Path, _ guest: Guest) async throws -> Double {
        let seconds = try await time(guest, "\(Self.keepAlive) \(path.host) \(path.port) \(Self.requests)")
        return Double(Self.requests) / seconds
    }

    private func time(_ guest: Guest, _ command: String) async throws -> Double {
        try Task.checkCancellation()
        let clock = ContinuousClock()
        let start = clock.now
        try await guest.check(command, timeout: .seconds(180))
        return (clock.now - start) / .seconds(1)
    }

    /// HOST PORT COUNT. Only what the shell has built in, since a process for each request would cost more than it.
    private static let keepAliveScript = """
        #!/bin/sh
        pipes=$(mktemp -d)
        mkfifo $pipes/in $pipes/out
        nc "$1" "$2" <$pipes/in >$pipes/out &
        exec 3>$pipes/in 4<$pipes/out
        rm -r $pipes
        return=$(printf '\\r')
        count=0
        while [ $count -lt "$3" ]; do
            printf 'GET / HTTP/1.1\\r\\nHost: bench\\r\\n\\r\\n' >&3
            read -r status <&4 || exit 1
            case $status in *" 200 "*) ;; *) echo "answer $count: $status"; exit 1 ;; esac
            while read -r line <&4; do
                [ "$line" = "$return" ] && break
            done
            read -r body <&4 || exit 1
            count=$((count + 1))
        done
        """
}
