import ControlProtocol
import Foundation
import GuestLab
import Testing

extension EndToEnd.GuestTests {
    /// Services of the host in a guest without a network card: listed, described, called; given and taken back.
    @Suite("Services", .serialized) struct ServicesTests {
        /// The ships' server as somebody wrote it down by hand.
        private static let fleet = """
            openapi: 3.1.0
            info: {title: Fleet}   # in YAML
            paths:
              /ships/{number}:
                get:
                  operationId: find
                  parameters:
                    - {name: number, in: path, required: true, schema: {type: integer}}
                  responses:
                    200: {description: One ship.}
            """

        @Test func aGuestFindsAndCallsWhatItWasGiven() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.guest(.xhci)
            try await LabEnvironment.use(vms: guests.source, devices: "") { lab in
                let servers = try await ServiceServers.start(in: lab)
                try lab.add(
                    """
                    [[service]]
                    name = "stock"
                    url = "http://127.0.0.1:\(servers.soap)"
                    description = "What lies in the sheds"
                    [[service]]
                    name = "ships"
                    url = "http://127.0.0.1:\(servers.rest)"
                    document = "http://127.0.0.1:\(servers.rest)/openapi.json"
                    [[service]]
                    name = "cargo"
                    url = "http://127.0.0.1:\(servers.parts)"
                    [[service]]
                    name = "fleet"
                    url = "http://127.0.0.1:\(servers.rest)"
                    document = "file:\(lab.directory)/fleet.yaml"
                    [[device]]
                    name = "desk"
                    interfaces = [{ kind = "service-directory", name = "office", services = ["stock"] }]
                    """)
                try Self.fleet.write(toFile: lab.directory + "/fleet.yaml", atomically: true, encoding: .utf8)
                try await lab.startEngine()
                try await lab.check("plug", "desk", guest.name)
                try await list(guest)
                try await callSOAP(guest)
                try await watch(guest, lab)
                try await callREST(guest, lab)
                try await callSOAPInParts(guest, lab)
                try await proxy(guest)
                try await lab.check("unplug", "desk")
                #expect(try await guest.run("2virt-guest services").exitCode == 3)
            }
        }

        private func list(_ guest: Guest) async throws {
            try await eventually("the service in the guest") {
                try await guest.run("2virt-guest services").exitCode == 0
            }
            let list = try await guest.check("2virt-guest services")
            #expect(list.contains("stock") && list.contains("soap") && list.contains("What lies in the sheds"))
            #expect(list.contains("desk/office") && !list.contains("ships"))
            let words = try await guest.check("2virt-guest describe stock")
            #expect(words.contains("greet  - Greets somebody some times."))
            #expect(words.contains("<- times: integer") && words.contains("items: object, required"))
            #expect(try await guest.check("2virt-guest describe stock --document").contains("definitions"))
        }

        private func callSOAP(_ guest: Guest) async throws {
            let greeting = try await guest.check("2virt-guest call stock greet name=Ida times=2")
            #expect(greeting.components(separatedBy: "\"Hello, Ida\"").count == 3, "\(greeting)")
            let total = try await guest.check(
                """
                2virt-guest call stock total order.customer=Tom \
                'order.items:=[{"name":"rope","count":3,"price":1.5},{"name":"hook","count":1,"price":2}]'
                """)
            #expect(total.contains("\"totalResult\" : 6.5"), "\(total)")
            let order = try await guest.check("2virt-guest call stock order_of customer=Ann")
            #expect(order.contains("\"customer\" : \"Ann\"") && order.contains("\"count\" : 3"), "\(order)")
            for (call, status, words) in [
                ("stock broken", 10, "the crane is broken"),
                ("stock greet name=a times=many", 9, "'times': found 'many'"),
                ("stock total order.customer=a", 9, "'order.items': is missing"),
                ("stock sing", 9, "no operation 'sing'"),
                ("ships get_ship number=7", 8, "no device of this guest offers"),
            ] {
                let result = try await guest.run("2virt-guest call \(call) 2>&1")
                #expect(result.exitCode == status && result.text.contains(words), "\(call): \(result)")
            }
        }

        /// A WSDL that has no type of its own: all are in documents that it imports.
        private func callSOAPInParts(_ guest: Guest, _ lab: LabEnvironment) async throws {
            try await lab.check("grant", "desk", "cargo")
            try await eventually("the service whose WSDL has parts") {
                try await guest.run("2virt-guest describe cargo").text.contains("load")
            }
            let words = try await guest.check("2virt-guest describe cargo")
            #expect(words.contains("ship: integer, required") && words.contains("label: string, required"), "\(words)")
            let outer = try await guest.check("2virt-guest describe cargo --document")
            #expect(outer.contains("?part=abstract") && !outer.contains("weight"), "\(outer)")
            let load = try await guest.check(
                """
                2virt-guest call cargo load ship=7 \
                'crates:=[{"label":"rope","weight":1.5},{"label":"tar & oil","weight":2}]'
                """)
            #expect(load.contains("10.5"), "\(load)")
            let heaviest = try await guest.check("2virt-guest call cargo heaviest ship=Ida")
            #expect(heaviest.contains("\"weight\" : 950.5") && heaviest.contains("anchor of Ida"), "\(heaviest)")
            let wrong = try await guest.run("2virt-guest call cargo load ship=x 'crates:=[]' 2>&1")
            #expect(wrong.exitCode == 9 && wrong.text.contains("an integer is expected"), "\(wrong)")
            // Nobody asked the platform to go to other servers.
            let list = try await guest.check("2virt-guest services --json")
            #expect(list.contains("http://elsewhere.invalid/a.xsd: it is not on the service's own server"), "\(list)")
            try await lab.check("revoke", "desk", "cargo")
        }

        /// A service that is granted appears in the guest by itself, and one that is revoked is gone.
        private func watch(_ guest: Guest, _ lab: LabEnvironment) async throws {
            try await guest.check("2virt-guest services --watch >/tmp/watch 2>&1 & echo $! >/tmp/watch.pid")
            func wait(for line: String) async throws {
                try await eventually("'\(line)' of the watch in the guest", seconds: 30) {
                    try await guest.run("grep -q '^\(line)' /tmp/watch").exitCode == 0
                }
            }
            try await wait(for: "+ stock (soap, 4 operations) at desk/office: What lies in the sheds")
            try await lab.check("grant", "desk", "ships")
            try await wait(for: "+ ships (rest, 2 operations) at desk/office")
            try await lab.check("revoke", "desk", "stock")
            try await wait(for: "- stock")
            #expect(try await lab.device("desk").interface("office")?.services == ["ships"])
            try await guest.check(
                "kill $(cat /tmp/watch.pid); while pidof 2virt-guest >/dev/null; do usleep 10000; done")
            #expect(try await guest.run("2virt-guest describe stock").exitCode == 8)
        }

        private func callREST(_ guest: Guest, _ lab: LabEnvironment) async throws {
            // What was granted outlives the engine that did it.
            try await lab.killEngine()
            try await lab.startEngine()
            try await eventually("the service after the engine's restart", seconds: 60) {
                try await guest.run("2virt-guest services").text.contains("ships")
            }
            let ship = try await guest.check("2virt-guest call ships get_ship number=7 loud=true")
            #expect(ship.contains("\"name\" : \"IDA\"") && ship.contains("\"length\" : 12.5"), "\(ship)")
            let put = try await guest.check(
                "2virt-guest call ships put_ship number=8 name=Tug length=3 berth.quay=4 berth.free=true")
            #expect(put.contains("\"ships\" : 2"), "\(put)")
            try await lab.check("grant", "desk", "fleet")
            try await eventually("the service whose document is YAML") {
                try await guest.run("2virt-guest describe fleet").exitCode == 0
            }
            #expect(try await guest.check("2virt-guest describe fleet --document").contains("operationId: find"))
            let found = try await guest.check("2virt-guest call fleet find number=8")
            #expect(found.contains("\"name\" : \"Tug\""), "\(found)")
            try await lab.check("revoke", "desk", "fleet")
            let missing = try await guest.run("2virt-guest call ships get_ship number=9 2>&1")
            #expect(missing.exitCode == 10 && missing.text.contains("no such ship"), "\(missing)")
        }

        /// Unmodified programs name a service by its host name.
        private func proxy(_ guest: Guest) async throws {
            try await guest.check(
                "2virt-guest proxy --listen 127.0.0.1:8099 >/tmp/proxy.out 2>&1 & echo $! >/tmp/proxy.pid")
            try await eventually("the proxy in the guest") {
                try await guest.run("grep -q listening /tmp/proxy.out").exitCode == 0
            }
            let ship = try await guest.check("http_proxy=http://127.0.0.1:8099 wget -q -O - http://ships/ships/8")
            #expect(ship.contains("\"Tug\""), "\(ship)")
            let other = try await guest.run("http_proxy=http://127.0.0.1:8099 wget -O - http://stock/ 2>&1")
            #expect(other.exitCode != 0 && other.text.contains("403"), "\(other)")
            try await guest.check("kill $(cat /tmp/proxy.pid)")
        }
    }
}
