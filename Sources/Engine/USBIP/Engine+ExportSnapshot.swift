import ControlProtocol
import USBIP

/// What operators see of the exporter.
extension Engine {
    /// Where a guest finds us.
    struct GuestEndpoint {
        var host: String
        var port: Int
        var needsTLS: Bool
        /// `10.0.2.2`, or with the port where that is not USB/IP's own.
        var address: String {
            GuestAddress(host: host, port: port == ListenAddress.defaultPort ? nil : port).description
        }
    }

    /// nil when nothing listens on TCP.
    var guestEndpoint: GuestEndpoint? {
        guard let usbip = configuration.usbip else { return nil }
        let tcp = zip(usbip.listeners, listeningAddresses).compactMap { listener, address -> (port: Int, tls: Bool)? in
            if case .tcp(_, let port) = address { (port, listener.tls != nil) } else { nil }
        }
        guard let listener = tcp.first(where: { !$0.tls }) ?? tcp.first else { return nil }
        return GuestEndpoint(
            host: usbip.guestAddress.host, port: usbip.guestAddress.port ?? listener.port, needsTLS: listener.tls)
    }

    /// As bound, or as configured while nothing is.
    private var listeningAddresses: [ListenAddress] {
        let bound = exporter?.addresses ?? []
        let configured = configuration.usbip?.listeners.map(\.address) ?? []
        return bound.count == configured.count ? bound : configured
    }

    /// What to type in a guest; empty when no guest can reach us.
    func attachLine(_ record: DeviceRecord) -> String {
        guard let endpoint = guestEndpoint, record.busNumber > 0 else { return "" }
        return "2virt-guest attach \(endpoint.needsTLS ? "--tls " : "")\(endpoint.address) 1-\(record.busNumber)"
    }

    func exportSnapshot(_ record: DeviceRecord) -> ExportSnapshot? {
        guard exporter != nil, record.configuration.export.isExported, record.busNumber > 0, record.host != nil else {
            return nil
        }
        let own = record.configuration.export.allow.map { $0.map(\.description) }
        return ExportSnapshot(
            busID: "1-\(record.busNumber)",
            listeners: listenerSnapshots.map { listener in
                var listener = listener
                if let own, !listener.address.hasPrefix("unix:") { listener.allow = own }
                return listener
            }, attachLine: attachLine(record),
            importer: record.importer.map {
                ImporterSnapshot(
                    peer: $0.peer, since: $0.since, roundTrip: $0.roundTrip,
                    guest: record.state == .imported ? nil : record.attachment?.vm)
            })
    }

    func exporterSnapshot() -> ExporterSnapshot? {
        guard let exporter, let usbip = configuration.usbip else { return nil }
        return ExporterSnapshot(
            listeners: listenerSnapshots, connections: exporter.openConnections, maximumConnections: usbip.connections,
            imports: devices.count { $0.importer != nil }, maximumImports: usbip.imports, refusals: refusals,
            watchers: watchers.values.sorted { $0.guest < $1.guest }.map {
                WatcherSnapshot(guest: $0.guest, peer: $0.peer, since: $0.since)
            })
    }

    private var listenerSnapshots: [ListenerSnapshot] {
        zip(configuration.usbip?.listeners ?? [], listeningAddresses).map { listener, address in
            ListenerSnapshot(
                address: address.description,
                allow: address.description.hasPrefix("unix:") ? [] : listener.allow.map(\.description),
                tls: listener.tls != nil, trouble: exporterTrouble?.text)
        }
    }

    /// Guests of other hosts, of which only the watcher is known: listed beside the VMs, since devices are plugged there.
    func watchedGuests() -> [VMSnapshot] {
        let names = Set(vms.map(\.name))
        var guests = watchers.values.filter { !names.contains($0.guest) }.map { watcher in
            VMSnapshot(
                id: USBIPGuest.id(ofWatcher: watcher.guest), name: watcher.guest, source: "watch", state: .running,
                since: watcher.since, attachWay: .watch)
        }
        // Kept in view while devices wait for it.
        for record in devices where record.isOverUSBIP && record.state != .imported {
            guard let name = record.attachment?.vm, !names.contains(name), !guests.contains(where: { $0.name == name })
            else { continue }
            guests.append(
                VMSnapshot(
                    id: USBIPGuest.id(ofWatcher: name), name: name, source: "watch", state: .lost,
                    reason: "its 2virt-guest watch is not connected", since: record.since))
        }
        return guests
    }

    /// - Returns: whether a round-trip time has moved.
    func refreshRoundTrips() async -> Bool {
        guard let exporter else { return false }
        var moved = false
        for record in devices where record.importer != nil {
            let time = await exporter.roundTripTime(of: "1-\(record.busNumber)").map {
                Double($0.components.seconds) + Double($0.components.attoseconds) * 1e-18
            }
            guard let index = index(record.name), devices[index].importer?.since == record.importer?.since,
                devices[index].importer?.roundTrip != time
            else { continue }
            devices[index].importer?.roundTrip = time
            moved = true
        }
        return moved
    }
}
