import Testing

@testable import Hypervisor

struct PortChooserTests {
    func controller(_ driver: String, bus: String, taken: Set<Int> = [], _ values: [String: JSONValue] = [:]) throws
        -> USBController
    {
        let model = try #require(ControllerModel(driver: driver))
        var ports = model.ports(values)
        for index in ports.indices where taken.contains(ports[index].number) {
            ports[index].occupant = USBOccupant(id: "", driver: "usb-tablet", product: "", isAttached: true)
        }
        return USBController(bus: bus, driver: driver, kind: model.kind, qomPath: "", ports: ports)
    }

    func choose(
        _ controllers: [USBController], _ speeds: [PortSpeed], bus: String? = nil, port: Int? = nil
    ) -> Result<PortChoice, PlugError> {
        let request = PlugRequest(device: "desk", speeds: speeds, socketPath: "/s", bus: bus, port: port)
        let chooser = PortChooser(vm: "vm", controllers: controllers)
        return Result { () throws(PlugError) in try chooser.choose(request) }
    }

    @Test(
        arguments: [
            ("qemu-xhci", [.super, .high, .full], .super), ("nec-usb-xhci", [.high, .full], .high),
            ("qemu-xhci", [.low], .low), ("usb-ehci", [.super, .high, .full], .high),
            ("piix3-usb-uhci", [.super, .high, .full], .full), ("pci-ohci", [.high, .full], .full),
            ("ich9-usb-uhci1", [.low], .low),
        ] as [(String, [PortSpeed], PortSpeed)])
    func bestSpeedOfEachController(_ driver: String, _ offers: [PortSpeed], _ speed: PortSpeed) throws {
        let choice = choose([try controller(driver, bus: "b.0")], offers)
        #expect(
            choice == .success(.init(bus: "b.0", kind: try controller(driver, bus: "b.0").kind, port: 1, speed: speed)))
    }

    @Test func highSpeedPrefersXHCIAndFallsBackWhenItIsFull() throws {
        let all = [
            try controller("qemu-xhci", bus: "x.0", taken: [1, 2, 3, 4]),
            try controller("usb-ehci", bus: "e.0", taken: [1]),
            try controller("piix3-usb-uhci", bus: "u.0"),
        ]
        #expect(choose(all, [.super, .high, .full]) == .success(.init(bus: "e.0", kind: .ehci, port: 2, speed: .high)))
        #expect(choose(all, [.full]) == .success(.init(bus: "u.0", kind: .uhci, port: 1, speed: .full)))
    }

    @Test func superSpeedPortsEndAtP3() throws {
        let x = try controller("qemu-xhci", bus: "x.0", taken: [1, 2], ["p2": 4, "p3": 2])
        #expect(
            choose([x], [.super])
                == .failure(
                    .noSuitablePort(
                        vm: "vm", device: "desk",
                        reasons: [
                            "x.0 (qemu-xhci): 2 of 2 fitting ports are taken"
                        ])))
        #expect(choose([x], [.super, .high]) == .success(.init(bus: "x.0", kind: .xhci, port: 3, speed: .high)))
    }

    @Test func refusalNamesEachController() throws {
        let all = [try controller("usb-ehci", bus: "e.0"), try controller("pci-ohci", bus: "o.0", taken: [1, 2, 3])]
        #expect(
            choose(all, [.full])
                == .failure(
                    .noSuitablePort(
                        vm: "vm", device: "desk",
                        reasons: [
                            "e.0 (usb-ehci) takes high, the device offers full",
                            "o.0 (pci-ohci): 3 of 3 fitting ports are taken",
                        ])))
        #expect(choose([], [.full]) == .failure(.noController(vm: "vm")))
    }

    @Test func explicitPort() throws {
        let x = try controller("qemu-xhci", bus: "x.0", taken: [1])
        #expect(
            choose([x], [.high], bus: "x.0", port: 4) == .success(.init(bus: "x.0", kind: .xhci, port: 4, speed: .high))
        )
        #expect(choose([x], [.high], port: 3) == .success(.init(bus: "x.0", kind: .xhci, port: 3, speed: .high)))
        for (bus, port, word) in [("y.0", 1, "no USB bus"), ("x.0", 1, "taken by usb-tablet"), ("x.0", 5, "1 to 4")] {
            guard case .failure(let error) = choose([x], [.high], bus: bus, port: port) else {
                Issue.record("\(bus) \(port) was chosen")
                continue
            }
            #expect("\(error)".contains(word), "\(error)")
        }
    }

    @Test func hostilePortCountsAreBounded() throws {
        for value: JSONValue in [.int(.max), .int(.min), .string("x"), .null, .double(1e300)] {
            #expect(try controller("qemu-xhci", bus: "x", ["p2": value, "p3": value]).ports.count <= 15)
            #expect(try controller("pci-ohci", bus: "x", ["num-ports": value]).ports.count <= 15)
        }
    }

    @Test func qdevIDsAreWhatQEMUTakesAndStayApart() {
        #expect(QdevID.make(device: "desk-1.a") == "ua-2virt-desk-1.a")
        let names = ["a b", "a_b", "a,b", "ä", "", String(repeating: "x", count: 300), "a/b", "é"]
        let ids = names.map(QdevID.make)
        #expect(Set(ids).count == names.count)
        for id in ids { #expect(id.utf8.count < 96 && id.wholeMatch(of: /[A-Za-z][A-Za-z0-9._-]*/) != nil, "\(id)") }
    }

    @Test func qtreeWithHubAndCommasInNames() {
        let tree = QTree(
            """
            bus: main-system-bus
              type System
              dev: i440FX-pcihost, id ""
                bus: pci.0
                  type PCI
                  dev: qemu-xhci, id "xhci"
                    bus: xhci.0
                      type usb-bus
                      dev: usb-hub, id "hub"
                        ports = 8 (0x8)
                        addr 0.1, port 1, speed 12, name QEMU USB Hub, attached
                      dev: usb-tablet, id ""
                        port = ""
                        addr 0.2, port 1.1, speed 12, name QEMU, USB, Tablet, attached
                      dev: usb-redir, id "r"
                        addr 0.0, port 3, speed 1.5, name USB Redirection Device
                  dev: usb-ehci, id "e"
                    bus: e.0
                      type usb-bus
            dev: usb-fake, id "not-on-a-bus"
            """)
        #expect(tree.buses["e.0"] == [])
        #expect(tree.buses["pci.0"] == nil)
        #expect(
            tree.buses["xhci.0"] == [
                .init(driver: "usb-hub", id: "hub", port: "1", product: "QEMU USB Hub", isAttached: true),
                .init(driver: "usb-tablet", id: "", port: "1.1", product: "QEMU, USB, Tablet", isAttached: true),
                .init(driver: "usb-redir", id: "r", port: "3", product: "USB Redirection Device", isAttached: false),
            ])
        #expect(QTree("dev: \nbus: \ntype usb-bus\n  addr").buses == [:])
    }
}
