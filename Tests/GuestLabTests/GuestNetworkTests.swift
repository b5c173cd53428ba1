import Testing

@testable import GuestLab

@Suite struct GuestNetworkTests {
    @Test func forwardsAreSpelledForQEMU() {
        let network = GuestNetwork.restricted([
            GuestForward(port: 3240, to: .unix(path: "/run/x.sock")),
            GuestForward(port: 80, to: .tcp(host: "127.0.0.1", port: 8080)),
        ])
        #expect(
            network.qemuArguments == [
                "-netdev",
                "user,id=lab-net,ipv6=off,restrict=on,"
                    + "guestfwd=tcp:10.0.2.100:3240-cmd:socat - UNIX-CONNECT:/run/x.sock,"
                    + "guestfwd=tcp:10.0.2.100:80-cmd:socat - TCP:127.0.0.1:8080,,nodelay",
                "-device", "virtio-net-pci,netdev=lab-net,romfile=",
            ])
        #expect(GuestNetwork.none.qemuArguments == ["-nic", "none"])
    }

    @Test(arguments: ["", "/a b", "/a,b", "/a!!EXEC:sh", "/a\"b", "/a\nb", "/a\\b"])
    func pathsThatSocatWouldReadOtherwiseAreRefused(path: String) {
        let network = GuestNetwork.restricted([GuestForward(port: 1, to: .unix(path: path))])
        #expect(throws: LabError.self) { try network.validate() }
    }

    @Test func anAgentNeedsItsPackage() throws {
        var image = GuestImage(kernelRelease: "6.1", directory: "/c")
        #expect(throws: LabError.self) {
            try GuestConfiguration(name: "a", image: image, guestAgent: true).validate()
        }
        image.contents = GuestContents(packages: ["qemu-guest-agent"])
        let configuration = GuestConfiguration(name: "a", image: image, guestAgent: true)
        try configuration.validate()
        let arguments = QEMUCommandLine.arguments(
            for: configuration, paths: GuestPaths(directory: "/t", qmpDirectory: "/v", name: "a"),
            accelerator: .tcg, initramfs: "/i")
        #expect(arguments.contains { $0.hasSuffix("name=org.qemu.guest_agent.0") })
    }
}
