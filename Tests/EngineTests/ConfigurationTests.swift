import Foundation
import TestDirectory
import Testing
import USBIP

@testable import Engine

struct ConfigurationTests {
    /// Exactly what ARCHITECTURE, section 6, shows.
    static let example = """
        [engine]
        socket = "/run/user/1000/2virt/engine.sock"     # control socket; default from XDG

        [[vms]]                                          # where live VMs come from; any number
        source = "qmp-directory"                         # or "qmp" (one socket: path, name), "qemu-processes", "libvirt" (uri)
        path = "/run/vms"                                # every *.qmp socket in it is a VM named after the file

        [usbip]
        listen = ["127.0.0.1:3240"]                      # empty: no exporter; "unix:/path" is a listener too
        allow = ["127.0.0.0/8"]

        [[device]]
        name = "desk"
        speed = "high"                                   # low, full, high, super; default by what the port takes
        interfaces = [
          { kind = "serial", name = "tty", to = "unix:/run/desk.sock" },          # or "pty"
          { kind = "web-service", name = "web", upstreams = ["127.0.0.1:8080"] },
          { kind = "storage", name = "disk", image = "/srv/disk.img", mode = "direct" },
        ]

        [[device]]
        name = "mux"
        firmware = "/srv/umx.bin"                        # emulated instead of simulated
        board = "stm32f042"
        """

    /// What `2virt check` says of a text.
    func messages(_ text: String) -> String {
        do {
            _ = try ConfigurationReader.read(text: text, file: "f")
            return "valid"
        } catch {
            return error.description
        }
    }

    @Test func theExampleIsValid() throws {
        let configuration = try ConfigurationReader.read(text: Self.example, file: "f")
        #expect(configuration.socket == "/run/user/1000/2virt/engine.sock")
        #expect(configuration.vms == [.qmpDirectory(path: "/run/vms")])
        let usbip = try #require(configuration.usbip)
        #expect(usbip.listeners.map(\.address) == [.tcp(host: "127.0.0.1", port: 3240)])
        #expect(usbip.listeners.map { $0.allow.map(\.description) } == [["127.0.0.0/8"]])
        #expect(configuration.devices.map(\.export) == [DeviceExportConfiguration(), DeviceExportConfiguration()])
        #expect(configuration.devices.map(\.name) == ["desk", "mux"])
        #expect(configuration.devices.map(\.line) == [12, 21])
        #expect(configuration.devices[0].speed == .high)
        guard case .simulated(let interfaces) = configuration.devices[0].behaviour else {
            Issue.record("desk is simulated")
            return
        }
        #expect(interfaces.map(\.kind) == [.serial, .webService, .storage])
        #expect(interfaces.map(\.line) == [16, 17, 18])
        #expect(interfaces[1].strings("upstreams") == ["127.0.0.1:8080"])
        #expect(configuration.devices[1].behaviour == .emulated(firmware: "/srv/umx.bin", board: "stm32f042"))
        #expect(configuration.warnings.isEmpty)
    }

    @Test func aBoardsSerialPortsAreFoundWhereTheConfigurationSays() throws {
        func read(_ uart: String) throws -> Configuration {
            try ConfigurationReader.read(
                text: """
                    [[device]]
                    name = "board"
                    firmware = "/srv/board.elf"
                    board = "pico"
                    uart = "\(uart)"
                    """, file: "f")
        }
        #expect(
            try read("unix:/run/board.uart").devices.map(\.behaviour) == [
                .emulated(firmware: "/srv/board.elf", board: "pico", uart: .unix(path: "/run/board.uart"))
            ])
        #expect(
            try read("pty").devices.map(\.behaviour) == [
                .emulated(firmware: "/srv/board.elf", board: "pico", uart: .pty)
            ])
        let error = #expect(throws: ConfigurationError.self) { try read("com1") }
        #expect(
            error.map { "\($0)" }
                == "f:5: device[0].uart: \"com1\"; allowed: \"pty\", \"unix:/path\" or \"tcp:address:port\"")
    }

    @Test func theExporterCanBeToldMore() throws {
        let text = """
            [usbip]
            listen = ["unix:/run/usbip.sock", "[::1]:3240"]
            connections = 10
            imports = 4
            peer_timeout = 3600
            guest_address = "192.168.122.1:3300"

            [[usbip.listener]]
            address = "0.0.0.0:3241"
            allow = ["192.168.122.0/24"]
            tls = { certificate = "/c.pem", key = "/k.pem", ca = "/ca.pem" }

            [[device]]
            name = "desk"
            usbip = { export = false, allow = ["192.168.122.7"] }
            interfaces = [ { kind = "serial", to = "pty" } ]
            """
        let configuration = try ConfigurationReader.read(text: text, file: "f")
        let usbip = try #require(configuration.usbip)
        #expect(
            usbip.listeners.map(\.address.description) == ["unix:/run/usbip.sock", "[::1]:3240", "0.0.0.0:3241"])
        let network = try #require(CIDR("192.168.122.0/24"))
        #expect(usbip.listeners.map(\.allow) == [CIDR.loopback, CIDR.loopback, [network]])
        #expect(usbip.listeners[2].tls == .init(certificate: "/c.pem", key: "/k.pem", ca: "/ca.pem"))
        #expect(usbip.connections == 10)
        #expect(usbip.imports == 4)
        #expect(usbip.peerTimeout == 3600)
        #expect(usbip.exporterSettings.limits.peerTimeLimit == .seconds(3600))
        #expect(usbip.guestAddress == GuestAddress(host: "192.168.122.1", port: 3300))
        let address = try #require(CIDR("192.168.122.7"))
        #expect(
            configuration.devices[0].export == DeviceExportConfiguration(isExported: false, allow: [address]))
        #expect(configuration.warnings.isEmpty)
    }

    @Test func anAddressThatNobodyMayReachIsDoubted() throws {
        let configuration = try ConfigurationReader.read(text: "[usbip]\nlisten = [\"0.0.0.0:3240\"]", file: "f")
        #expect(configuration.usbip?.listeners[0].allow == CIDR.loopback)
        #expect(
            configuration.warnings.map(\.description) == [
                "f:2: usbip.listen[0]: \"0.0.0.0:3240\" is reachable from other machines, but only loopback may connect: name networks with allow"
            ])
    }

    @Test(arguments: ["-x", "", "a b", "a:0", "a:b", "$(x)", "[::1", "a:1:2", "a:99999"])
    func aGuestAddressIsNothingElse(_ text: String) { #expect(GuestAddress(text) == nil) }

    // MARK: Files

    func messages(ofFile file: String) -> String {
        do {
            _ = try ConfigurationReader.read(file: file)
            return "valid"
        } catch {
            return error.description
        }
    }

    @Test func unusableFiles() throws {
        let directory = try TemporaryDirectory()
        let missing = directory.file("missing.toml")
        #expect(
            messages(ofFile: missing)
                == "\(missing): cannot be read (No such file or directory); allowed: a readable TOML file")
        #expect(
            messages(ofFile: directory.path)
                == "\(directory.path): is not a regular file; allowed: a readable TOML file")
        let latin = directory.file("latin.toml")
        try Data([0x23, 0xE4, 0x0A]).write(to: URL(fileURLWithPath: latin))
        #expect(messages(ofFile: latin) == "\(latin): is not UTF-8 text; allowed: a readable TOML file")
        let large = directory.file("large.toml")
        try Data(repeating: 0x0A, count: 4 << 20 + 1).write(to: URL(fileURLWithPath: large))
        #expect(messages(ofFile: large) == "\(large): is larger than 4 MiB; allowed: a readable TOML file")
        let good = directory.file("good.toml")
        try Data(Self.example.utf8).write(to: URL(fileURLWithPath: good))
        #expect(messages(ofFile: good) == "valid")
    }
}
