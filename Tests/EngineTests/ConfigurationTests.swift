import Foundation
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

    static let addresses = ConfigurationReader.addressRule
    static let networks = ConfigurationReader.networkRule

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

    static let mistakes: [(String, String)] = [
        ("engin = 1", "f:1: engin: is not a key here; allowed: engine, vms, usbip, device"),
        ("\n[engine]\nsock = 1", "f:3: engine.sock: is not a key here; allowed: socket"),
        ("engine = 3", "f:1: engine: is the number 3; allowed: a table: [engine]"),
        ("[engine]\nsocket = true", "f:2: engine.socket: is true; allowed: the path of a UNIX socket"),
        ("[engine]\nsocket = \"\"", "f:2: engine.socket: is an empty string; allowed: the path of a UNIX socket"),
        ("[vms]\nsource = \"qmp\"", "f:1: vms: is a table; allowed: tables: [[vms]]"),
        (
            "[[vms]]\npath = \"/x\"",
            "f:1: vms[0].source: is missing; allowed: \"qmp\", \"qmp-directory\", \"qemu-processes\" or \"libvirt\""
        ),
        (
            "[[vms]]\nsource = \"qemu-processes\"\n[[vms]]\nsource = \"xen\"",
            "f:4: vms[1].source: \"xen\"; allowed: \"qmp\", \"qmp-directory\", \"qemu-processes\" or \"libvirt\""
        ),
        (
            "[[vms]]\nsource = \"qmp-directory\"",
            "f:1: vms[0].path: is missing; allowed: the path of a directory of *.qmp sockets"
        ),
        (
            "[[vms]]\nsource = \"qemu-processes\"\npath = \"/x\"",
            "f:3: vms[0].path: is not a key here; allowed: source"
        ),
        ("[usbip]\nlisten = \"x\"", "f:2: usbip.listen: is \"x\"; allowed: a list of \(addresses)"),
        ("[usbip]\nlisten = [\"localhost:1\"]", "f:2: usbip.listen[0]: is \"localhost:1\"; allowed: \(addresses)"),
        (
            "[usbip]\nlisten = [\"127.0.0.1:70000\"]",
            "f:2: usbip.listen[0]: is \"127.0.0.1:70000\"; allowed: \(addresses)"
        ),
        ("[usbip]\nlisten = [\"unix:x\"]", "f:2: usbip.listen[0]: is \"unix:x\"; allowed: \(addresses)"),
        (
            "[usbip]\nlisten = [\"127.0.0.1:1\", \"127.0.0.1:1\"]",
            "f:2: usbip.listen[1]: \"127.0.0.1:1\" is the address of an earlier listener; allowed: an address of its own"
        ),
        ("[usbip]\nallow = []", "f:2: usbip.allow: is empty; allowed: at least one of \(networks)"),
        ("[usbip]\nallow = [\"10.0.0.0/33\"]", "f:2: usbip.allow[0]: is \"10.0.0.0/33\"; allowed: \(networks)"),
        (
            "[usbip]\npeer_timeout = 1", "f:2: usbip.peer_timeout: is the number 1; allowed: a number from 2 to 86400"
        ),
        ("[usbip]\nimports = 0", "f:2: usbip.imports: is the number 0; allowed: a number from 1 to 1024"),
        ("[usbip]\nconnections = \"x\"", "f:2: usbip.connections: is \"x\"; allowed: a number from 1 to 4096"),
        (
            "[usbip]\nguest_address = \"a; reboot\"",
            "f:2: usbip.guest_address: is \"a; reboot\"; allowed: how guests reach this machine: \"HOST\" or \"HOST:PORT\", such as \"10.0.2.2\""
        ),
        ("[[usbip.listener]]\nallow = [\"::/0\"]", "f:1: usbip.listener[0].address: is missing; allowed: \(addresses)"),
        (
            "[[usbip.listener]]\naddress = \"127.0.0.1:1\"\nport = 2",
            "f:3: usbip.listener[0].port: is not a key here; allowed: address, allow, tls"
        ),
        (
            "[[usbip.listener]]\naddress = \"127.0.0.1:1\"\ntls = { certificate = \"/c\", key = \"/k\" }",
            "f:3: usbip.listener[0].tls.ca: is missing; allowed: the path of a PEM file: the CA that signs clients"
        ),
        (
            "[[usbip.listener]]\naddress = \"unix:/s\"\ntls = { certificate = \"/c\", key = \"/k\", ca = \"/a\" }",
            "f:3: usbip.listener[0].tls: stands at a UNIX socket; allowed: no tls: the socket's file mode says who may connect"
        ),
        (device("usbip = { export = 1 }"), "f:3: device[0].usbip.export: is the number 1; allowed: true or false"),
        (device("usbip = true"), "f:3: device[0].usbip: is true; allowed: a table: [device[0].usbip]"),
        (
            device("usbip = { allow = [\"x\"] }"),
            "f:3: device[0].usbip.allow[0]: is \"x\"; allowed: \(networks)"
        ),
        (
            "[usbip]\nallow = [1]",
            "f:2: usbip.allow[0]: is the number 1; allowed: a list of \(networks)"
        ),
        (
            device("speed = \"warp\""),
            "f:3: device[0].speed: \"warp\"; allowed: \"low\", \"full\", \"high\" or \"super\""
        ),
        (
            device("idVendor = 65536"),
            "f:3: device[0].idVendor: is the number 65536; allowed: a number from 0 to 0xFFFF"
        ),
        (device("idProduct = \"x\""), "f:3: device[0].idProduct: is \"x\"; allowed: a number from 0 to 0xFFFF"),
        (
            device("colour = 1"),
            "f:3: device[0].colour: is not a key here; allowed: name, speed, interfaces, firmware, board, flash, product, idVendor, idProduct, serial, usbip"
        ),
        (device("product = 1979-05-27"), "f:3: device[0].product: is a date or time; allowed: text"),
        (
            device("firmware = \"/x\"\nboard = \"stm32f103\""),
            "f:5: device[0].interfaces: stands beside 'firmware'; allowed: one of the two: an image brings its own interfaces"
        ),
        (
            "[[device]]\nname = \"a b\"\ninterfaces = [{kind=\"serial\",to=\"pty\"}]",
            "f:2: device[0].name: \"a b\"; allowed: 1 to 64 of letters, digits, '.', '_' and '-'"
        ),
        (
            "[[device]]\ninterfaces = [{kind=\"serial\",to=\"pty\"}]",
            "f:1: device[0].name: is missing; allowed: 1 to 64 of letters, digits, '.', '_' and '-'"
        ),
        (
            "[[device]]\nname = \"a\"",
            "f:1: device[0]: has neither 'interfaces' nor 'firmware'; allowed: one of the two"
        ),
        (
            "[[device]]\nname = \"a\"\ninterfaces = []",
            "f:3: device[0].interfaces: is empty; allowed: at least one interface"
        ),
        (
            "[[device]]\nname = \"a\"\nfirmware = \"/x\"",
            "f:1: device[0].board: is missing; allowed: a board such as \"stm32f042\""
        ),
        (
            device("") + "\n" + device(""),
            "f:6: device[1].name: \"a\" is the name of an earlier device; allowed: a name of its own"
        ),
        (
            "[[device]]\nname = \"a\"\ninterfaces = [\n {kind=\"serial\",to=\"pty\"},\n {kind=\"serial\",to=\"pty\"}]",
            "f:5: device[0].interfaces[1].name: \"serial\" is the name of an earlier interface; allowed: a name of its own"
        ),
        (
            interface("kind = \"telepathy\""),
            "f:3: device[0].interfaces[0].kind: \"telepathy\"; allowed: \"web-service\", \"serial\", \"usb-char\", \"service-directory\", \"point-to-point\", \"point-to-multipoint\", \"libvirt\", \"printer\", \"storage\", \"keyboard\", \"microphone\""
        ),
        (
            interface("kind = \"serial\""),
            "f:3: device[0].interfaces[0].to: is missing; allowed: \"pty\", \"unix:/path\" or \"tcp:ADDRESS:PORT\""
        ),
        (
            interface("kind = \"serial\", to = \"com1\""),
            "f:3: device[0].interfaces[0].to: found 'com1'; allowed: pty, unix:/path, tcp:ADDRESS:PORT"
        ),
        (
            interface("kind = \"serial\", to = \"pty\", baud = 9600"),
            "f:3: device[0].interfaces[0].baud: is not a key here; allowed: kind, name, to"
        ),
        (
            interface("kind = \"web-service\", upstreams = \"x\""),
            "f:3: device[0].interfaces[0].upstreams: is \"x\"; allowed: a list of \"host:port\", \"http://host:port/base\" or \"unix:/path\""
        ),
        (
            interface("kind = \"web-service\", upstreams = [\"h:1\"], services = [\"a b\"]"),
            "f:3: device[0].interfaces[0].services: service 'a b': a name consists of letters, digits, '.', '-' and '_'"
        ),
        (
            interface("kind = \"microphone\", tone = \"loud\""),
            "f:3: device[0].interfaces[0].tone: is \"loud\"; allowed: the frequency that it hears in Hz, 20 to 20000"
        ),
        (
            interface("kind = \"microphone\", tone = 10"),
            "f:3: device[0].interfaces[0].tone: tone of 10 Hz; allowed: 20 to 20000"
        ),
        (
            "[[device]]\nname = \"a\"\ninterfaces = [1]",
            "f:3: device[0].interfaces[0]: is the number 1; allowed: a table"
        ),
        ("\"e\\u001B[2J\" = 1", "f: e[2J: is not a key here; allowed: engine, vms, usbip, device"),
    ]

    static func device(_ line: String) -> String {
        "[[device]]\nname = \"a\"\n\(line)\ninterfaces = [{kind=\"serial\",to=\"pty\"}]"
    }

    static func interface(_ pairs: String) -> String { "[[device]]\nname = \"a\"\ninterfaces = [{\(pairs)}]" }

    @Test(arguments: mistakes) func oneMistake(_ text: String, _ message: String) {
        #expect(messages(text) == message)
    }

    @Test func allMistakesAreNamedInFileOrder() {
        #expect(
            messages("[usbip]\nlisten = 1\n[engine]\nx = 1\n").split(separator: "\n").map(String.init) == [
                "f:2: usbip.listen: is the number 1; allowed: a list of \(Self.addresses)",
                "f:4: engine.x: is not a key here; allowed: socket",
            ])
        #expect(messages((0..<5000).map { "x\($0) = 1\n" }.joined()).split(separator: "\n").count == 100)
    }

    @Test func syntaxErrorsNameTheLine() {
        #expect(messages("[engine]\nsocket = \n").hasPrefix("f:2: is not TOML: "))
        #expect(messages("a = 1\na = 2\n").hasPrefix("f:2: is not TOML: "))
        for header in ["[", "[[", "[]", "[[]]", "[!", "[\n", "[ [a]]", "[[ =", "[\u{85}a]", "[é]"] {
            #expect(
                messages("\n" + header)
                    == "f:2: is not TOML: a table header without a name")
        }
        for value in ["", " ", ",", "]", "}", "#", "[,", "[}", "{a=}", "{a=,"] {
            #expect(messages("\na = " + value) == "f:2: is not TOML: no value where one must be")
        }
        #expect(messages("[engine\n").hasPrefix("f:1: is not TOML: "))
    }

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

    // MARK: Anything

    @Test func deepNestingIsRefusedBeforeItIsParsed() {
        let refusal = "is nested too deeply; allowed: 32 lists and tables within each other, 16 parts of a key"
        for (open, close) in [("[", "]"), ("{a=", "}")] {
            for depth in [33, 1000, 100_000] {
                let text = "x = " + String(repeating: open, count: depth) + String(repeating: close, count: depth)
                #expect(messages(text) == "f:1: \(refusal)")
            }
        }
        for dots in [16, 100_000] {
            let key = "a" + String(repeating: ".a", count: dots)
            #expect(messages("\n\(key) = 1") == "f:2: \(refusal)")
            #expect(messages("[\(key)]") == "f:1: \(refusal)")
            #expect(messages("x = {\(key) = 1}") == "f:1: \(refusal)")
        }
    }

    /// A mutation must be judged, whatever the judgement, in a time that has to do with its length.
    @Test func mutationsNeverTrapOrHang() {
        var random = Seeded(seed: 20_261_122)
        let seeds = [
            Self.example,
            "a.b.\"c.d\" = 1\n'e f'.g = [[1, [2]], {x.y = '''\n''', z = \"\"\"\\\n\"\"\"\"\"}]\n[h.'i'.j]\n[[k.l]]\n[[k.l]]\n",
        ].map { Array($0.utf8) }
        let bits = Array("[]{}=.,\"'#\\\n\r\t \u{0}a1".utf8)
        for round in 0..<3000 {
            var bytes = seeds[round % seeds.count]
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let position = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes[position] = bits[Int.random(in: 0..<bits.count, using: &random)]
                case 1: bytes.insert(bits[Int.random(in: 0..<bits.count, using: &random)], at: position)
                case 2: bytes.remove(at: position)
                case 3: bytes.removeSubrange(position..<min(bytes.count, position + 40))
                default: bytes[position] = UInt8.random(in: 0...255, using: &random)
                }
                if bytes.isEmpty { bytes = [10] }
            }
            #expect(!messages(String(decoding: bytes, as: UTF8.self)).isEmpty)
        }
        for _ in 0..<2000 {
            let count = Int.random(in: 0..<200, using: &random)
            let bytes = (0..<count).map { _ in
                Bool.random(using: &random)
                    ? bits[Int.random(in: 0..<bits.count, using: &random)] : UInt8.random(in: 0...255, using: &random)
            }
            let locator = TOMLLocator(String(decoding: bytes, as: UTF8.self))
            #expect(locator.lines.values.allSatisfy { $0 >= 1 && $0 <= count + 1 })
        }
    }

    @Test(arguments: [
        ("a.b.c = 1", "a.b.c", 1),
        ("\"x.y\" = 1", "x.y", 1),
        ("a = '''\n[b]\n'''\nc = 1", "c", 4),
        ("a = \"\"\"\n\\\"\"\"\n\"\"\"\"\"\nc = 1", "c", 4),
        ("[[d]]\n[[d.i]]\nk=1\n[[d.i]]\nk=2\n[[d]]\n[[d.i]]\nk=3", "d[1].i[0].k", 8),
        ("[[d]]\n[[d.i]]\nk=1\n[[d.i]]\nk=2", "d[0].i[1].k", 5),
        ("[[d]]\n[d.t]\nk=1", "d[0].t.k", 3),
        ("a = [ # ]\n [1,\n 2], {\"k\" = 3} ]\n", "a[1].k", 3),
        ("x = 1\r\ny = 2\r\n", "y", 2),
    ])
    func lines(_ text: String, _ path: String, _ line: Int) {
        #expect(TOMLLocator(text).lines[path] == line)
    }
}

/// Equal numbers in every run.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
