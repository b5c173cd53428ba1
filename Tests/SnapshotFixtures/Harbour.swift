import ControlProtocol

/// A busy night at a small site, for tests that need something to show: VMs and devices in every state, faults, names
/// in wide characters and names that attack the terminal.
public enum Harbour {
    /// 2026-02-14 03:12:44 UTC.
    public static let now = 1_771_038_764.0

    /// The picture `seconds` before `now`; counters run, so that two pictures give rates.
    public static func snapshot(secondsBefore seconds: Double = 0) -> Snapshot {
        Snapshot(
            revision: 48 - UInt64(seconds), time: now - seconds,
            engine: EngineSnapshot(
                hostName: "lab-7", version: "0.2", pid: 4312, startedAt: now - 86_000, configuration: "/etc/2virt.toml",
                socket: "/run/user/1000/2virt/engine.sock"),
            vms: vms, devices: devices(moved: 100 - seconds), faults: faults)
    }

    public static let vms: [VMSnapshot] = [
        vm("build-03", cpu: 188.2),
        vm("build-04", .paused, reason: "paused by the operator", since: 3600, cpu: 0),
        vm("db-01", free: 0, cpu: 12.5),
        vm("evil\u{1B}[2J\u{1B}]0;owned\u{07}\u{202E}vm", cpu: 1),
        vm("kiosk-11", .lost, reason: "read: reset by peer", since: 4),
        vm("kiosk-12", cpu: 3.1),
        vm("kiosk-13", cpu: 2.9),
        vm("no-usb", controllers: [], cpu: 0.2),
        vm("spare-01", .shutdown, since: 200_000),
        vm("till-01", cpu: 7),
        vm("till-02", .unreachable, reason: "QMP greeting timed out", since: 61),
        vm("web-01", cpu: 22.4),
        vm("web-02", free: 1, cpu: 41.7),
        vm("東京-端末🚃", cpu: 5.5),
    ]

    public static func vm(
        _ name: String, _ state: VMState = .running, reason: String? = nil, since: Double = 7200, free: Int = 3,
        controllers: [ControllerSnapshot]? = nil, cpu: Double? = nil
    ) -> VMSnapshot {
        VMSnapshot(
            id: "id-" + name, name: name, source: "qmp-directory", state: state, reason: reason, since: now - since,
            pid: 7001, accelerator: "kvm", vcpus: 4, memoryBytes: 4 << 30, cpuPercent: cpu, startedAt: now - 93_784,
            hypervisor: "QEMU 7.2.22",
            controllers: controllers ?? [
                ControllerSnapshot(
                    id: "xhci.0", model: "qemu-xhci", speeds: ["low", "full", "high", "super"], ports: 4,
                    freePorts: free)
            ],
            attached: name == "web-02"
                ? [
                    AttachedDevice(controller: "xhci.0", port: "1", product: "QEMU USB Tablet"),
                    AttachedDevice(controller: "xhci.0", port: "2", product: "Combo Keyboard", device: "combo-kbd"),
                    AttachedDevice(controller: "xhci.0", port: "3", product: "Card Reader", device: "card-reader"),
                ] : [])
    }

    /// All devices after `moved` seconds of traffic.
    public static func devices(moved: Double) -> [DeviceSnapshot] {
        [
            device(
                "card-reader", 0x072F, 0x2200, "Card Reader", on: "web-02", port: "3", speed: "full", bytes: 421_888,
                moved,
                [
                    interface("slot", "vendor", "CCID", 0, bytes: 419_840, moved),
                    interface("media-keys", "hid", "HID", 1, bytes: 1945, moved),
                ]),
            device(
                "combo-kbd", 0x1209, 0x0001, "Combo Keyboard", on: "web-02", port: "2", speed: "high", bytes: 1126,
                moved,
                [
                    interface("keyboard", "hid", "HID keyboard", 0, bytes: 1126, moved),
                    interface("mouse", "hid", "HID mouse", nil, gate: .off, bytes: 0, moved),
                    interface("vendor", "vendor", "Vendor", 2, bytes: 0, moved),
                ]),
            device(
                "disk-lun0", 0x0781, 0x5567, "Flash Disk", on: "web-02", port: "4", speed: "super", state: .unplugging,
                reason: "eject asked", since: 9, bytes: 0, moved,
                [interface("disk", "storage", "Mass Storage", 0, bytes: 0, moved, backend: "/srv/disk.img, direct")]),
            device(
                "rp2040-cdc", 0x2E8A, 0x000A, "Pico", on: "web-02", port: "1", speed: "full", bytes: 408_371, moved,
                [
                    interface("ctl", "serial", "CDC control", 0, bytes: 0, moved),
                    interface("tty", "serial", "Serial", 1, gate: .changing, since: 0.4, bytes: 408_371, moved),
                ]),
            device(
                "scale", 0x0922, 0x8003, "Scale", on: "till-01", port: "1", speed: "low", bytes: 62_464, moved,
                stalls: 14,
                [interface("weight", "hid", "HID", 0, bytes: 62_464, moved, trouble: "STALL on EP 81, 14 in 10 s")]),
            device(
                "kiosk-printer", 0x03F0, 0x2B17, "LaserJet", on: "kiosk-11", port: nil, speed: nil, state: .waiting,
                reason: "its VM is gone", since: 4, bytes: 0, moved,
                [interface("ipp", "printer", "IPP over USB", 0, bytes: 0, moved, backend: "127.0.0.1:631 (1 of 1 up)")]),
            device(
                "gps", 0x1546, 0x01A7, "u-blox 7", on: "db-01", port: nil, speed: nil, state: .rejected,
                reason: "no free USB port", since: 300, bytes: 0, moved,
                [interface("nmea", "serial", "Serial", 0, bytes: 0, moved)]),
            device(
                "東京カード", 0x054C, 0x0DC8, "カードリーダー", on: "東京-端末🚃", port: "1", speed: "full", bytes: 3379, moved,
                [interface("felica", "vendor", "Vendor", 0, bytes: 3379, moved)]),
            device(
                "desk", 0x1209, 0x2001, "2Virt Desk", on: nil, port: nil, speed: nil, state: .unplugged, bytes: 0,
                moved,
                [
                    interface("tty", "serial", "Serial", 0, bytes: 0, moved, backend: "pty /dev/pts/4"),
                    interface(
                        "web", "web-service", "Web Service", 1, bytes: 0, moved, backend: "127.0.0.1:8080 (1 of 1 up)"),
                ]),
            device(
                "mux", 0x1209, 0x2002, "UMX", on: nil, port: nil, speed: nil, state: .unplugged, bytes: 0, moved,
                trouble: "/srv/umx.bin: no such file", []),
        ]
    }

    public static let faults: [Fault] = [
        Fault(
            subject: Subject(vm: "kiosk-11"),
            message: "connection lost (read: reset by peer); 1 device kept, retry 3 in 4 s",
            since: now - 4),
        Fault(
            subject: Subject(vm: "till-02"),
            message: "unreachable: QMP greeting timed out; is another QMP client connected?",
            since: now - 61),
        Fault(
            subject: Subject(vm: "till-01", device: "scale", interface: "weight"),
            message: "STALL on EP 81, 14 in 10 s", since: now - 887),
    ]

    public static let events: [Event] = [
        event(1, 1895, .info, Subject(), "engine", "started", "serving 10 devices on /run/user/1000/2virt/engine.sock"),
        event(
            2, 887, .fault, Subject(vm: "till-01", device: "scale", interface: "weight"), "engine", "stall",
            "STALL on EP 81, 14 in 10 s"),
        event(
            3, 874, .info, Subject(vm: "web-02", device: "combo-kbd", interface: "mouse"), "op@pts/1", "interface-off",
            "switched off", 0.48),
        event(
            4, 300, .warning, Subject(vm: "db-01", device: "gps"), "hypervisor", "rejected",
            "rejected: no free USB port"),
        event(5, 42, .info, Subject(vm: "web-02", device: "rp2040-cdc"), "guest", "configured", "SET_CONFIGURATION 1"),
        event(
            6, 9, .info, Subject(vm: "web-02", device: "disk-lun0"), "op@pts/1", "eject",
            "eject requested; waiting for guest"),
        event(7, 5, .info, Subject(vm: "evil\u{1B}[2Jvm"), "guest", "renamed", "guest says \u{1B}[31mhello\r\n"),
        event(
            8, 4, .fault, Subject(vm: "kiosk-11"), "hypervisor", "vm-lost",
            "connection lost (read: reset by peer); 1 device kept"),
    ]

    /// Traffic of the keyboard: rates that rise and fall, and its last transfers.
    public static let traffic = TrafficView(
        device: "combo-kbd", sampleSeconds: 0.5,
        samples: (0..<120).map { step in
            let wave = UInt64((step * 37 % 23) * (step % 40))
            return RateSample(bytesIn: wave * 11, bytesOut: step % 7 == 0 ? wave : 0, transfers: UInt32(wave % 50))
        },
        counters: Counters(
            bytesIn: 412_000, bytesOut: 1200, transfersIn: 51_500, transfersOut: 40, errors: 1, stalls: 2),
        transfers: (0..<40).map(transfer), ringCount: 65_536, ringDropped: 3)

    static func transfer(_ index: Int) -> TransferRow {
        let time = now - Double(40 - index) * 0.008
        let sequence = UInt64(48_180 + index)
        switch index % 5 {
        case 3:
            return TransferRow(
                sequence: sequence, time: time, latency: 412, endpoint: 0x00, type: "control", length: 1, actual: 1,
                status: "ok",
                setup: [0x21, 0x09, 0x00, 0x02, 0x00, 0x00, 0x01, 0x00], head: [0x01],
                decode: "SET_REPORT output leds: num")
        case 4:
            return TransferRow(
                sequence: sequence, time: time, latency: 3021, endpoint: 0x80, type: "control", length: 2, actual: 0,
                status: "stall",
                setup: [0x82, 0x00, 0x00, 0x00, 0x81, 0x00, 0x02, 0x00], decode: "GET_STATUS endpoint 81")
        default:
            return TransferRow(
                sequence: sequence, time: time, latency: 8000, endpoint: 0x81, type: "interrupt", interface: "keyboard",
                length: 8,
                actual: 8, status: "ok", head: [0, 0, index % 2 == 0 ? 4 : 0, 0, 0, 0, 0, 0],
                decode: index % 2 == 0 ? "HID keyboard: modifiers none; a" : "HID keyboard: none")
        }
    }

    static func event(
        _ sequence: UInt64, _ age: Double, _ severity: Severity, _ subject: Subject, _ actor: String, _ kind: String,
        _ message: String, _ duration: Double? = nil
    ) -> Event {
        Event(
            sequence: sequence, time: now - age, severity: severity, subject: subject, actor: actor, kind: kind,
            message: message,
            duration: duration)
    }

    static func device(
        _ name: String, _ vendor: UInt16, _ product: UInt16, _ text: String, on vm: String?, port: String?,
        speed: String?,
        state: PlugState = .plugged, reason: String? = nil, since: Double = 7100, bytes: UInt64, _ moved: Double,
        stalls: UInt64 = 0, trouble: String? = nil, _ interfaces: [InterfaceSnapshot]
    ) -> DeviceSnapshot {
        DeviceSnapshot(
            name: name, idVendor: vendor, idProduct: product, product: text, serialNumber: "2V-" + name,
            firmware: .simulated,
            trouble: trouble, state: state, reason: reason, since: state == .unplugged ? 0 : now - since,
            by: "op@pts/1",
            attachment: vm.map {
                Attachment(vm: $0, via: .usbredir, controller: port == nil ? nil : "xhci.0", port: port, speed: speed)
            },
            guest: state == .plugged || state == .unplugging ? .configured : .absent, interfaces: interfaces,
            counters: counters(bytes, moved, stalls))
    }

    static func interface(
        _ name: String, _ kind: String, _ title: String, _ number: Int?, gate: GateState = .on, since: Double = 874,
        bytes: UInt64,
        _ moved: Double, backend: String = "", trouble: String? = nil
    ) -> InterfaceSnapshot {
        InterfaceSnapshot(
            name: name, kind: kind, title: title, number: number, gate: gate, since: now - since, by: "op@pts/1",
            backend: backend,
            trouble: trouble,
            effect: (gate == .on ? "off" : "on") + ": device re-enumerates, its other interfaces blink for about 0.5 s",
            endpoints: gate == .off
                ? []
                : [
                    EndpointSnapshot(
                        address: UInt8(0x81 + (number ?? 0)), type: "interrupt", maxPacketSize: 8, pending: 1)
                ],
            counters: counters(bytes, moved, 0))
    }

    /// Nine tenths of the bytes go in, the rest out.
    static func counters(_ bytes: UInt64, _ moved: Double, _ stalls: UInt64) -> Counters {
        let total = UInt64(Double(bytes) * moved)
        return Counters(
            bytesIn: total / 10 * 9, bytesOut: total / 10, transfersIn: total / 64, transfersOut: total / 512,
            errors: 0, stalls: stalls)
    }
}

extension Harbour {
    /// The same night with a USB/IP exporter: `desk` is free, `mux`'s neighbour `recorder` is held by a client of its own
    /// will, `card-reader` by web-02's watcher.
    public static func exporting() -> Snapshot {
        var snapshot = snapshot()
        let listener = ListenerSnapshot(address: "127.0.0.1:3240", allow: ["127.0.0.0/8", "::1/128"])
        snapshot.engine.exporter = ExporterSnapshot(
            listeners: [listener], maximumConnections: 256, imports: 2, maximumImports: 64, refusals: 3,
            watchers: [
                WatcherSnapshot(guest: "web-02", peer: "127.0.0.1:40100", since: now - 7000),
                WatcherSnapshot(guest: "far-guest", peer: "10.9.0.4:40022", since: now - 500),
            ])
        var number = 0
        for index in snapshot.devices.indices {
            number += 1
            snapshot.devices[index].export = ExportSnapshot(
                busID: "1-\(number)", listeners: [listener], attachLine: "2virt-guest attach 10.0.2.2 1-\(number)")
        }
        for index in snapshot.vms.indices {
            if snapshot.vms[index].name == "web-02" { snapshot.vms[index].attachWay = .watch }
            if snapshot.vms[index].name == "build-03" { snapshot.vms[index].attachWay = .agent }
        }
        snapshot.vms.append(
            VMSnapshot(
                id: "watch:far-guest", name: "far-guest", source: "watch", state: .running, since: now - 500,
                attachWay: .watch))
        if let index = snapshot.devices.firstIndex(where: { $0.name == "card-reader" }) {
            snapshot.devices[index].attachment = Attachment(vm: "web-02", via: .usbip, controller: "vhci", port: "0")
            snapshot.devices[index].export?.importer = ImporterSnapshot(
                peer: "127.0.0.1:40122", since: now - 7100, roundTrip: 0.000_085, guest: "web-02")
        }
        var recorder = device(
            "recorder", 0x1209, 0x2003, "Recorder", on: nil, port: nil, speed: nil, state: .imported, since: 61,
            bytes: 0, 0, [interface("nmea", "serial", "Serial", 0, bytes: 0, 0)])
        recorder.guest = .configured
        recorder.export = ExportSnapshot(
            busID: "1-30", listeners: [listener], attachLine: "2virt-guest attach 10.0.2.2 1-30",
            importer: ImporterSnapshot(peer: "192.0.2.7:51234", since: now - 61, roundTrip: 0.0124))
        snapshot.devices.append(recorder)
        return snapshot
    }
}

extension Harbour {
    /// The same night with emulated firmware in web-02, its button held.
    public static func emulating(fault: String? = nil) -> Snapshot {
        var snapshot = snapshot()
        var blinker = device(
            "blinker", 0x1209, 0x0010, "echo of bytes", on: "web-02", port: "1", speed: "full", bytes: 1200, 100,
            [
                interface("if0", "serial", "Serial control", 0, bytes: 0, 100, backend: "firmware"),
                interface("if1", "serial", "Serial data", 1, bytes: 1200, 100, backend: "firmware"),
            ])
        blinker.firmware = .emulated
        blinker.emulator = EmulatorSnapshot(
            board: "stm32f072disco", processor: fault == nil ? .skipped : .faulted, megahertz: 1.3, realTimeFactor: 1,
            isAttached: fault == nil,
            lights: [.init(name: "red", isOn: true), .init(name: "orange", isOn: false)],
            buttons: [.init(name: "user", isOn: true), .init(name: "boot", isOn: false)],
            serialText: "echo ready\r\n\u{1B}[31mclock 48 MHz\r\n", log: ["enumerated as 1209:0010 echo of bytes"],
            fault: fault)
        snapshot.devices.append(blinker)
        return snapshot
    }
}
