import ControlProtocol
import Foundation
import GuestLab
import Testing

extension EndToEnd.GuestTests {
    /// The host's libvirt daemon, reached by a guest that has no network card.
    @Suite("Libvirt", .serialized) struct LibvirtTests {
        private static let uri = "'qemu+unix:///system?socket=/tmp/virt.sock'"

        @Test func virshInTheGuestReadsAndMayNotWrite() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.virsh()
            try await LabEnvironment.use(vms: guests.source, devices: "") { lab in
                let daemon = try await LibvirtDaemon.start(in: lab)
                let domain = "lab-\(UUID().uuidString.prefix(8))"
                do {
                    try await use(daemon, domain, guest, lab)
                } catch {
                    _ = try? await daemon.run(["undefine", domain])
                    daemon.stop()
                    throw error
                }
                try await daemon.virsh("undefine", domain)
                daemon.stop()
            }
        }

        private func use(
            _ daemon: LibvirtDaemon, _ domain: String, _ guest: Guest, _ lab: LabEnvironment
        ) async throws {
            let file = lab.directory + "/domain.xml"
            try """
            <domain type='qemu'><name>\(domain)</name><memory>65536</memory>
            <os><type arch='x86_64'>hvm</type></os></domain>
            """.write(toFile: file, atomically: true, encoding: .utf8)
            try await daemon.virsh("define", file)
            try lab.add(
                """
                [[device]]
                name = "cloud"
                interfaces = [{ kind = "libvirt", name = "virt", to = "unix:\(daemon.readOnlySocket)" }]
                """)
            try await lab.startEngine()
            try await lab.check("plug", "cloud", guest.name)
            try await guest.check("2virt-guest proxy --unix /tmp/virt.sock >/tmp/virt.log 2>&1 &")
            try await eventually("the proxy's socket in the guest") {
                try await guest.run("test -S /tmp/virt.sock").exitCode == 0
            }
            let list = try await guest.check("virsh -q -c \(Self.uri) list --all --name", timeout: .seconds(60))
            #expect(list.split(separator: "\n").contains { $0 == domain })

            let refused = try await guest.run("virsh -q -c \(Self.uri) undefine \(domain) 2>&1", timeout: .seconds(60))
            #expect(refused.exitCode != 0 && refused.text.contains("read only"))
            #expect(try await daemon.virsh("list", "--all", "--name").contains(domain))
            let interface = try #require(try await lab.device("cloud").interface("virt"))
            #expect(interface.kind == "libvirt" && interface.backend.contains("libvirt-sock-ro"))

            // The socket leads nowhere while the device is away, and to the daemon again after the next plug.
            try await lab.check("unplug", "cloud")
            try await lab.check("plug", "cloud", guest.name)
            let again = try await guest.check("virsh -q -c \(Self.uri) domstate \(domain)", timeout: .seconds(60))
            #expect(again.contains("shut off"))
            try await lab.check("unplug", "cloud")
            try await guest.check("kill $(pidof 2virt-guest)")
        }
    }
}
