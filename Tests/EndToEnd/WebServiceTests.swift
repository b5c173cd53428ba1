import ControlProtocol
import Foundation
import GuestLab
import Testing

extension EndToEnd.GuestTests {
    /// The web service under load that a demonstration does not have.
    @Suite("Web service", .serialized) struct WebServiceTests {
        /// An emulated guest with an unoptimized client moves a mebibyte or two a second each way: the gibibyte is for
        /// WEB_SERVICE_MEBIBYTES=1024.
        private static let mebibytes =
            ProcessInfo.processInfo.environment["WEB_SERVICE_MEBIBYTES"].flatMap { Int($0) } ?? 128

        private static func device(_ servers: WebServer...) -> String {
            let upstreams = servers.map { "\"127.0.0.1:\($0.port)\"" }.joined(separator: ", ")
            return """
                [[device]]
                name = "desk"
                interfaces = [{ kind = "web-service", name = "web", upstreams = [\(upstreams)] }]
                """
        }

        /// What is downloaded is uploaded at the same time, through one device: the server's sum of what came back is
        /// the sum of what it sent.
        @Test(.timeLimit(.minutes(30))) func whatIsDownAndUpAtOnceIsWhole() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.guest(.xhci)
            try await LabEnvironment.use(vms: guests.source, devices: "") { lab in
                let server = try await WebServer.start(in: lab)
                let sum = try await server.put("blob", mebibytes: Self.mebibytes)
                try lab.add(Self.device(server))
                try await lab.startEngine()
                try await lab.check("plug", "desk", "xhci")
                try await guest.startProxy()
                let began = ContinuousClock.now
                let answer = try await guest.check(
                    """
                    wget -q -O - http://127.0.0.1:8080/blob | {
                        printf 'POST /cgi-bin/sum HTTP/1.1\\r\\nHost: web\\r\\nConnection: close\\r\\n'
                        printf 'Content-Length: \(Self.mebibytes << 20)\\r\\n\\r\\n'
                        cat
                    } | nc 127.0.0.1 8080 | grep -o '[0-9a-f]\\{64\\}'
                    """, timeout: .seconds(1500))
                let seconds = (ContinuousClock.now - began) / .seconds(1)
                print("Web service: \(Self.mebibytes) MiB down and up at once in \(seconds) s")
                #expect(answer == sum)
                let counters = try await lab.device("desk").interface("web")?.counters ?? Counters()
                let payload = UInt64(Self.mebibytes) << 20
                #expect(counters.bytesIn > payload && counters.bytesOut > payload, "\(counters)")
                #expect(counters.errors == 0)
                try await guest.stopProxy()
                try await lab.check("unplug", "desk")
            }
        }

        /// All requests that one of two servers has under way when it dies are asked of the other.
        @Test func anUpstreamThatDiesLosesNoRequest() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.guest(.xhci)
            try await LabEnvironment.use(vms: guests.source, devices: "") { lab in
                let dying = try await WebServer.start(in: lab, folder: "dying")
                let staying = try await WebServer.start(in: lab, folder: "staying")
                try lab.add(Self.device(dying, staying))
                try await lab.startEngine()
                try await lab.check("plug", "desk", "xhci")
                try await guest.startProxy()
                async let answers = guest.check(
                    """
                    mkdir -p /tmp/many; rm -f /tmp/many/*; i=0
                    while [ $i -lt 60 ]; do
                        wget -q -O /tmp/many/$i "http://127.0.0.1:8080/cgi-bin/together?$i" &
                        i=$((i + 1))
                    done
                    wait
                    for file in /tmp/many/*; do echo "${file##*/} $(cat $file)"; done
                    rm -r /tmp/many
                    """, timeout: .seconds(180))
                try await eventually("60 requests under way at once", seconds: 90) {
                    dying.arrived + staying.arrived == 60
                }
                #expect(dying.arrived > 0 && staying.arrived > 0, "both have their share")
                try await dying.kill()
                try await eventually("all at the other", seconds: 60) { staying.arrived == 60 }
                staying.openGate()
                let lines = try await Set(answers.split(separator: "\n").map(String.init))
                #expect(lines == Set((0..<60).map { "\($0) answer \($0)" }))
                try await guest.stopProxy()
                try await lab.check("unplug", "desk")
            }
        }
    }
}
