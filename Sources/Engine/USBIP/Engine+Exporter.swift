import ControlProtocol
import ControlSocket
import Foundation
import NIOCore
import USBIP

/// Devices on offer over USB/IP.
extension Engine {
    /// Each device keeps its number for ever, also while it is not configured.
    func giveBusNumbers(_ saved: [String: UInt16]) {
        var seen: Set<UInt16> = [0]
        for (name, number) in saved.sorted(by: { ($0.value, $0.key) < ($1.value, $1.key) })
        where seen.insert(number).inserted {
            busNumbers[name] = number
        }
        let names = Set(configuration.devices.map(\.name))
        // Thousands of names that are no longer used are nobody's any more.
        if busNumbers.count > 4096 { busNumbers = busNumbers.filter { names.contains($0.key) } }
        var next: UInt16 = 1
        for device in configuration.devices where busNumbers[device.name] == nil {
            while next < .max, seen.contains(next) { next += 1 }
            // With all numbers taken, what is left over is not exported.
            guard seen.insert(next).inserted else { return }
            busNumbers[device.name] = next
        }
    }

    func startExporter() async {
        guard let usbip = configuration.usbip, !usbip.listeners.isEmpty else { return }
        let inbox = exports
        let timing = settings.watch
        let signals = signals
        let names = Dictionary(busNumbers.map { ("1-\($0.value)", $0.key) }, uniquingKeysWith: { first, _ in first })
        let exporter = Exporter(
            settings: usbip.exporterSettings, group: group,
            watch: { channel, peer, listener in
                let peer = Self.text(peer) ?? "\(listener)"
                return channel.eventLoop.makeCompletedFuture {
                    let link = WatchLink(id: inbox.nextLink(), channel: channel)
                    try channel.pipeline.syncOperations.addHandlers(
                        ByteToMessageHandler(LineFrameDecoder(limit: WatchProtocol.maximumLineLength)),
                        WatchSession(link: link, peer: peer, inbox: inbox, timing: timing))
                }
            }, logger: logger,
            onEvent: { event in
                switch event {
                case .importerAttached(let busID, let importer):
                    guard let name = names[busID] else { return }
                    signals.post(DeviceSignal(device: name, generation: 0, kind: .imported(importer)))
                case .importerDetached(let busID, let reason):
                    guard let name = names[busID] else { return }
                    signals.post(DeviceSignal(device: name, generation: 0, kind: .released(reason)))
                case .refused(let peer, let reason): _ = inbox.post(.refused(peer: peer, reason: reason))
                // Asked for where it is shown.
                case .roundTrip: break
                }
            })
        self.exporter = exporter
        // Ends with the queue, after what is in it: somebody may wait for that.
        Task { await self.carryOutExports(exporter) }
        tasks.append(Task { await self.listenToExports() })
        if await !listen(exporter) { tasks.append(Task { await self.listenAgain(exporter) }) }
    }

    /// Listens; what is in the way is told once.
    private func listen(_ exporter: Exporter) async -> Bool {
        do {
            try await exporter.start()
        } catch {
            guard exporterTrouble == nil else { return false }
            exporterTrouble = .init(text: printable("\(error)", limit: 300), since: now)
            publish(
                .fault, Subject(), actor: "engine", kind: "exporter-trouble",
                "nothing can be imported over USB/IP: \(printable("\(error)", limit: 300)); tried again every 5 s")
            return false
        }
        exporterTrouble = nil
        let addresses = exporter.addresses.map(\.description).joined(separator: ", ")
        publish(.info, Subject(), actor: "engine", kind: "exporting", "USB/IP listens on \(addresses)")
        return true
    }

    /// An address may be held by an engine that is just ending, or come with a network that is just starting.
    private func listenAgain(_ exporter: Exporter) async {
        while !Task.isCancelled {
            do { try await Task.sleep(for: .seconds(5)) } catch { return }
            if await listen(exporter) { return }
        }
    }

    // MARK: Offering

    /// Whether USB/IP clients may have the device now.
    private func isOffered(_ record: DeviceRecord) -> Bool {
        guard exporter != nil, record.host != nil, record.trouble == nil, record.configuration.export.isExported,
            record.isEmulated || !visibleInterfaces(record).isEmpty
        else { return false }
        switch record.state {
        case .unplugged, .rejected, .imported: return true
        case .plugging, .plugged, .unplugging: return record.attachment?.via == .usbip
        // Kept for the guest it waits for.
        case .waiting: return false
        }
    }

    /// Lets the exporter follow what has changed.
    func updateOffers() {
        guard exporter != nil, !isShuttingDown else { return }
        for record in devices where record.busNumber > 0 {
            guard let host = record.host else { continue }
            let offer = ExportOffer(
                busID: "1-\(record.busNumber)", generation: record.generation, isOffered: isOffered(record))
            let before = offers[record.name]
            guard offer != before, offer.isOffered || before?.isOffered == true else { continue }
            offers[record.name] = offer
            exportQueue.add(
                offer.isOffered
                    ? .offer(
                        host, number: record.busNumber, allow: record.configuration.export.allow ?? [],
                        generation: record.generation) : .withdraw(busID: offer.busID))
        }
    }

    /// Waits until the exporter knows what is true now.
    func flushOffers() async {
        guard exporter != nil, !isShuttingDown else { return }
        updateOffers()
        await withCheckedContinuation { exportQueue.add(.reached($0)) }
    }

    private func carryOutExports(_ exporter: Exporter) async {
        for await change in exportQueue.stream {
            switch change {
            case .offer(let host, let number, let allow, let generation):
                guard let device = await host.exported(as: number, allow: allow, generation: generation) else {
                    continue
                }
                exporter.publish(device)
            case .withdraw(let busID): await exporter.withdraw(busID: busID)
            case .reached(let continuation): continuation.resume()
            }
        }
    }

    // MARK: Hearing

    private func listenToExports() async {
        for await _ in exports.wake.stream {
            let (signals, lost) = exports.drain()
            refusals += lost
            for signal in signals { take(signal) }
            if signals.count >= ExportInbox.maximumRefusals {
                do { try await Task.sleep(for: .milliseconds(50)) } catch { return }
            }
        }
    }

    private func take(_ signal: ExportSignal) {
        guard !isShuttingDown else { return }
        switch signal {
        case .refused(let peer, let reason):
            refusals += 1
            guard let suppressed = refusalNoise.take(at: now) else { return }
            publish(
                .warning, Subject(), actor: printable(peer), kind: "usbip-refused",
                "USB/IP refused to \(printable(peer)): \(printable(reason, limit: 200))"
                    + (suppressed == 0 ? "" : " (\(suppressed) refusals before it were too many to be told)"))
        case .watchOpened(let link, let guest, let peer): watcherCame(link, guest: guest, peer: peer)
        case .watchSaid(let link, let report): take(report, from: link)
        case .watchClosed(let link, let reason): watcherWent(link, reason: reason)
        }
    }

    /// nil for a UNIX socket.
    private static func text(_ address: SocketAddress?) -> String? {
        guard let host = address?.ipAddress, let port = address?.port else { return nil }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

extension USBIPConfiguration {
    var exporterSettings: ExporterSettings {
        var limits = ExporterLimits()
        limits.maximumConnections = connections
        limits.maximumImports = imports
        limits.peerTimeLimit = .seconds(Int64(peerTimeout))
        return ExporterSettings(
            listeners: listeners.map { listener in
                ExporterListener(
                    address: listener.address, allow: listener.allow,
                    tls: listener.tls.map {
                        ExporterTLS(certificateFile: $0.certificate, keyFile: $0.key, clientAuthorityFile: $0.ca)
                    })
            }, limits: limits)
    }
}
