import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import GuestLab

/// Packages in a real guest, and its network; downloads the packages the first time.
@Suite(.serialized) struct GuestPackageTests {
    private static let contents = GuestContents(
        packages: ["usbip", "qemu-guest-agent", "alsa-utils"], modules: ["bridge"])

    @Test func packagesRunAndTheImageIsKept() async throws {
        let image = try await GuestImageBuilder().build(Self.contents)
        let started = ContinuousClock.now
        #expect(try await GuestImageBuilder().build(Self.contents) == image)
        #expect(ContinuousClock.now - started < .seconds(10))

        let scratch = try LabScratch()
        let socket = scratch.path + "/echo"
        let echo = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    channel.writeAndFlush(ByteBuffer(string: "from the host\n"), promise: nil)
                }
            }
            .bind(unixDomainSocketPath: socket).get()
        let guest = try await Guest.boot(
            GuestConfiguration(
                name: "lab-packages", image: image,
                network: .restricted([GuestForward(port: 7, to: .unix(path: socket))]),
                guestAgent: true))
        #expect(try await guest.check("usbip version").contains("usbip"))
        #expect(try await guest.check("arecord --version").contains("arecord"))
        // Not busybox's: the package's own replaces it.
        #expect(try await guest.check("readlink -f /sbin/modprobe").hasSuffix("/usr/bin/kmod"))
        try await guest.check("modprobe vhci-hcd && test -e /sys/devices/platform/vhci_hcd.0/attach")
        try await guest.check("modprobe bridge && grep -q ^bridge /proc/modules")
        #expect(try await guest.check("nc 10.0.2.100 7 </dev/null | head -n 1") == "from the host")
        #expect(try await guest.run("nc -w 2 10.0.2.2 7 </dev/null").exitCode != 0)

        let agent = try await ShellPeer.connect(to: guest.agentSocketPath)
        #expect(try await agent.say(#"{"execute":"guest-ping"}"# + "\n", until: #"{"return": {}}"#))
        try await agent.close()
        try await echo.close()
        await guest.shutdown()
    }

    @Test func twoGuestsWithUserNetworksRunSideBySide() async throws {
        let image = try await GuestImageBuilder().build()
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    channel.writeAndFlush(ByteBuffer(string: "loopback\n"), promise: nil)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        func boot(_ name: String) async throws -> Guest {
            try await Guest.boot(GuestConfiguration(name: name, image: image, network: .user, accelerator: .tcg))
        }
        async let first = boot("lab-one")
        async let second = boot("lab-two")
        for guest in [try await first, try await second] {
            #expect(try await guest.check("nc 10.0.2.2 \(port) </dev/null | head -n 1") == "loopback")
            await guest.shutdown()
        }
        try await server.close()
    }

    @Test func anUnknownPackageIsNamed() async {
        await #expect {
            _ = try await GuestImageBuilder().build(GuestContents(packages: ["no-such-package-2virt"]))
        } throws: {
            "\($0)".contains("no-such-package-2virt")
        }
    }
}
