import Testing

@testable import GuestClientKit

@Suite struct ProxyAddressTests {
    @Test(arguments: [
        ("127.0.0.1:8080", "http://127.0.0.1:8080"), (":80", "http://127.0.0.1:80"),
        ("localhost:1", "http://127.0.0.1:1"), ("[::1]:8080", "http://[::1]:8080"), ("0.0.0.0:0", "http://0.0.0.0:0"),
    ])
    func parses(_ text: String, _ expected: String) {
        #expect(ProxyAddress(tcp: text)?.description == expected)
    }

    @Test(arguments: [
        "", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "host.example:80", "[::1:80",
    ])
    func refuses(_ text: String) {
        #expect(ProxyAddress(tcp: text) == nil)
    }

    @Test(arguments: [("web", true), ("a.b-c_9", true), ("", false), ("a b", false), ("a\r\nb", false), ("ü", false)])
    func serviceNames(_ text: String, _ isValid: Bool) {
        #expect(ServiceName.isValid(text) == isValid)
    }
}
