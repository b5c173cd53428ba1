import NIOCore

/// What listeners, devices and the engine share; behind a lock, since each is on another thread.
struct ExporterState {
    /// A device in somebody's hands.
    struct Importer {
        let token = Token()
        var info: ImporterInfo
        var session: NIOLoopBound<USBIPSession>
        /// Whose round-trip time is the importer's.
        var channel: (any Channel)?
    }

    /// Why a device is not given away.
    enum Refusal: Error {
        case unknown
        case taken(ImporterInfo)
        case tooMany
    }

    var isRunning = false
    var listeners: [(address: ListenAddress, channel: any Channel)] = []
    /// By bus id.
    var devices: [String: ExportedDevice] = [:]
    var importers: [String: Importer] = [:]
    /// Connections that have not imported anything: operations and watch channels.
    var connections: [ObjectIdentifier: any Channel] = [:]

    /// By bus id, or by name.
    func device(_ asked: String) -> ExportedDevice? {
        devices[asked] ?? devices.values.first { $0.name == asked }
    }

    mutating func reserve(
        _ device: ExportedDevice, for info: ImporterInfo, _ session: NIOLoopBound<USBIPSession>, maximum: Int
    ) throws(Refusal) -> Token {
        // It may have been withdrawn since it was looked up.
        guard isRunning, devices[device.busID]?.token === device.token else { throw .unknown }
        if let holder = importers[device.busID] { throw .taken(holder.info) }
        guard importers.count < maximum else { throw .tooMany }
        let importer = Importer(info: info, session: session)
        importers[device.busID] = importer
        return importer.token
    }
}

/// Tells a thing from the next of the same name.
final class Token: Sendable {}
