import Testing

@testable import Engine

/// What a mistake is called, and where it is.
extension ConfigurationTests {
    static let addresses = ConfigurationReader.addressRule
    static let networks = ConfigurationReader.networkRule

    static let mistakes: [(String, String)] = [
        ("engin = 1", "f:1: engin: is not a key here; allowed: engine, vms, usbip, service, device"),
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
        (
            "[[service]]\nname = \"a\"",
            "f:1: service[0].url: is missing; allowed: \"http://HOST[:PORT][/base]\", \"HOST:PORT\" or \"unix:/path\""
        ),
        (
            "[[service]]\nname = \"a\"\nurl = \"h:1\"\ndocument = \"x\"",
            "f:4: service[0].document: document 'x'; allowed: http://HOST[:PORT]/path[?query] or file:/path"
        ),
        (
            "[[service]]\nname = \"a\"\nurl = \"h:1\"\nimports = [\"http://i/types\"]",
            "f:4: service[0].imports: imports has 'http://i/types'; allowed: http://HOST[:PORT]"
        ),
        (
            "[[service]]\nname = \"a\"\nurl = \"h:1\"\n[[service]]\nname = \"A\"\nurl = \"h:1\"",
            "f:5: service[1].name: \"a\" is the name of an earlier service; allowed: a name of its own"
        ),
        (
            "[[device]]\nname = \"d\"\ninterfaces = [{ kind = \"service-directory\", services = [\"b\"] }]",
            "f:3: device[0].interfaces[0].services[0]: \"b\" is no [[service]]; allowed: the name of a [[service]]; there is none"
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
            "f:3: device[0].colour: is not a key here; allowed: name, speed, interfaces, firmware, board, flash, gdb, uart, product, idVendor, idProduct, serial, usbip"
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
            "f:3: device[0].interfaces[0].kind: \"telepathy\"; allowed: \"web-service\", \"serial\", \"usb-char\", \"service-directory\", \"point-to-point\", \"point-to-multipoint\", \"libvirt\", \"printer\", \"ipp-printer\", \"storage\", \"keyboard\", \"microphone\""
        ),
        (
            interface("kind = \"point-to-point\""),
            "f:3: device[0].interfaces[0].network: is missing; allowed: the name of a network"
        ),
        (
            interface("kind = \"point-to-multipoint\", network = \"a b\""),
            "f:3: device[0].interfaces[0].network: network 'a b': a name consists of 1 to 64 letters, digits, '.', '-' and '_'"
        ),
        (
            interface("kind = \"point-to-multipoint\", network = \"a\", sources = \"all\""),
            "f:3: device[0].interfaces[0].sources: sources 'all'; allowed: own, any"
        ),
        (
            interface("kind = \"point-to-multipoint\", network = \"a\", uplink = \"a/b\""),
            "f:3: device[0].interfaces[0].uplink: uplink 'a/b': the name of a TAP interface consists of 1 to 15 letters, digits, '.', '-' and '_'"
        ),
        (
            interfaces([
                "kind = \"point-to-multipoint\", name = \"x\", network = \"n\", uplink = \"tap0\"",
                "kind = \"point-to-multipoint\", name = \"y\", network = \"m\", uplink = \"tap0\"",
            ]),
            "f:4: device[0].interfaces[1].uplink: \"tap0\" is the uplink of a/x; allowed: a TAP interface of its own, or none: one uplink serves a whole network"
        ),
        (
            interface("kind = \"point-to-point\", network = \"a\", sources = \"any\""),
            "f:3: device[0].interfaces[0].sources: is not a key here; allowed: kind, name, network"
        ),
        (
            interfaces([
                "kind = \"point-to-point\", name = \"x\", network = \"n\"",
                "kind = \"point-to-point\", name = \"y\", network = \"n\"",
                "kind = \"point-to-point\", name = \"z\", network = \"n\"",
            ]),
            "f:5: device[0].interfaces[2].network: \"n\" has its two members, a/x and a/y; allowed: another network, or kind \"point-to-multipoint\""
        ),
        (
            interfaces([
                "kind = \"point-to-point\", name = \"x\", network = \"n\"",
                "kind = \"point-to-multipoint\", name = \"y\", network = \"n\"",
            ]),
            "f:4: device[0].interfaces[1].network: \"n\" is the point-to-point network of a/x; allowed: the name of a point-to-multipoint network"
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
        ("\"e\\u001B[2J\" = 1", "f: e[2J: is not a key here; allowed: engine, vms, usbip, service, device"),
    ]

    static func device(_ line: String) -> String {
        "[[device]]\nname = \"a\"\n\(line)\ninterfaces = [{kind=\"serial\",to=\"pty\"}]"
    }

    static func interfaces(_ pairs: [String]) -> String {
        "[[device]]\nname = \"a\"\ninterfaces = [{\(pairs.joined(separator: "},\n{"))}]"
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
}
