import NIOCore
import Testing
import USBIP

@Suite("USB/IP exporter: addresses and networks")
struct AddressTests {
    @Test(arguments: [
        ("127.0.0.0/8", "127.200.3.4", true), ("127.0.0.0/8", "128.0.0.1", false), ("10.1.2.3", "10.1.2.3", true),
        ("10.1.2.3", "10.1.2.4", false), ("10.1.2.3/31", "10.1.2.2", true), ("0.0.0.0/0", "203.0.113.9", true),
        ("0.0.0.0/0", "::1", false), ("::/0", "fd00::1", true), ("fd00::/8", "fdff::1", true),
        ("fd00::/8", "fe80::1", false), ("::1", "::1", true), ("192.0.2.0/24", "::ffff:192.0.2.77", true),
        ("::ffff:192.0.2.0/120", "192.0.2.1", false), ("192.0.2.128/25", "192.0.2.127", false),
    ])
    func networkContains(network: String, address: String, expected: Bool) throws {
        guard let network = CIDR(network) else {
            // A mapped address is an IPv4 address of 32 bits.
            #expect(network == "::ffff:192.0.2.0/120")
            return
        }
        #expect(network.contains(try SocketAddress(ipAddress: address, port: 1)) == expected)
    }

    @Test(arguments: [
        "", "/8", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/+8", "10.0/8", "host/8",
        "10.0.0.0/8/8",
    ])
    func brokenNetworkIsNone(text: String) {
        #expect(CIDR(text) == nil)
    }

    @Test func networkIsShownByItsFirstAddress() {
        #expect(CIDR("10.9.8.7/8")?.description == "10.0.0.0/8")
        #expect(CIDR("fd00::1/16")?.description == "fd00::/16")
        #expect(CIDR.loopback.map(\.description) == ["127.0.0.0/8", "::1/128"])
    }

    @Test func unixPeersAreInNoNetwork() throws {
        #expect(try CIDR("0.0.0.0/0")?.contains(SocketAddress(unixDomainSocketPath: "/x")) == false)
    }

    @Test(arguments: [
        ("127.0.0.1:3240", ListenAddress.tcp(host: "127.0.0.1", port: 3240)),
        ("127.0.0.1", .tcp(host: "127.0.0.1", port: 3240)), ("[::1]:99", .tcp(host: "::1", port: 99)),
        ("[::1]", .tcp(host: "::1", port: 3240)), ("::1", .tcp(host: "::1", port: 3240)),
        ("unix:/run/usbip.sock", .unix(path: "/run/usbip.sock")),
    ])
    func listenAddressIsRead(text: String, expected: ListenAddress) {
        #expect(ListenAddress(text) == expected)
        #expect(ListenAddress(expected.description) == expected)
    }

    @Test(arguments: [
        "", "localhost:3240", "127.0.0.1:", "127.0.0.1:99999", "[::1", "[::1]x", "unix:relative", "unix:", ":3240",
    ])
    func brokenListenAddressIsNone(text: String) {
        #expect(ListenAddress(text) == nil)
    }
}
