/// The services that this guest's devices offer: asks each interface's directory in turn.
public struct Services: Sendable {
    static let path = "/.well-known/2virt/services"

    /// One interface that has a directory.
    struct Place: Hashable {
        var device: USBDeviceRecord
        var interface: USBInterfaceRecord

        var title: String {
            let name = interface.name.isEmpty ? String(interface.number) : interface.name
            return "\(device.serial.isEmpty ? "\(device.bus)-\(device.device)" : device.serial)/\(name)"
        }

        static func == (left: Place, right: Place) -> Bool {
            left.device.bus == right.device.bus && left.device.device == right.device.device
                && left.interface.number == right.interface.number
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(device.bus)
            hasher.combine(device.device)
            hasher.combine(interface.number)
        }
    }

    private let tree: USBTree
    private let selector: DeviceSelector?

    /// - Parameter device: only this one; nil: all.
    public init(device: String? = nil, tree: USBTree = USBTree()) {
        self.tree = tree
        selector = device.map(DeviceSelector.init)
    }

    func places() throws(GuestError) -> [Place] {
        let all = try tree.devices().filter(\.is2Virt)
        let devices = selector == nil ? all : [try all.selected(by: selector)]
        return devices.flatMap { device in
            device.interfaces.filter(\.isWebService).map { Place(device: device, interface: $0) }
        }
    }

    static func open(_ place: Place) throws(GuestError) -> any PipeSession {
        let selector = DeviceSelector("\(place.device.bus)-\(place.device.device)")
        return try USBPipeTransport(
            selector: selector, service: nil,
            interfaceName: place.interface.name.isEmpty ? nil : place.interface.name
        ).open()
    }

    static func read(_ answer: DirectoryChannel.Answer, place: Place) throws(GuestError) -> [ListedService] {
        guard answer.status == 200 else { throw failure(answer) }
        guard let json = try? JSONValue(parsing: answer.body), let list = json["services"]?.array else {
            throw .failed("\(place.title): what the device answered is no list of services")
        }
        return list.compactMap { ListedService($0, place: place.title) }
    }

    /// - Returns: what was found, and why some interfaces could not be asked.
    public func list() throws(GuestError) -> (services: [ListedService], troubles: [GuestError]) {
        let places = try places()
        guard !places.isEmpty else { throw .noSuchDevice(Self.nothing) }
        var services: [ListedService] = []
        var troubles: [GuestError] = []
        for place in places {
            do throws(GuestError) {
                services += try Self.read(try Self.ask(place, "GET", Self.path), place: place)
            } catch {
                troubles.append(error)
            }
        }
        if let first = troubles.first, troubles.count == places.count { throw first }
        return (services, troubles)
    }

    static let nothing = "no 2Virt device with a Web Service or a directory is plugged into this guest"

    /// The description of a service, as JSON and in words.
    public func describe(_ name: String) throws(GuestError) -> (json: String, text: String) {
        let answer = try find(name, "GET", "\(Self.path)/\(Self.escaped(name))")
        guard let json = try? JSONValue(parsing: answer) else {
            throw .failed("what the device answered is no description")
        }
        return (
            String(decoding: answer, as: UTF8.self), ServiceDescriptionText(json).lines.joined(separator: "\n") + "\n"
        )
    }

    /// The service's own document, WSDL or OpenAPI.
    public func document(_ name: String) throws(GuestError) -> [UInt8] {
        try find(name, "GET", "\(Self.path)/\(Self.escaped(name))/document")
    }

    /// Calls an operation and returns its answer as JSON.
    public func call(_ name: String, _ operation: String, _ arguments: CallArguments) throws(GuestError) -> [UInt8] {
        try find(
            name, "POST", "\(Self.path)/\(Self.escaped(name))/operations/\(Self.escaped(operation))",
            body: arguments.json)
    }

    /// Asks one interface after the other until one has the service.
    private func find(
        _ name: String, _ method: String, _ path: String, body: [UInt8] = []
    ) throws(GuestError) -> [UInt8] {
        let places = try places()
        guard !places.isEmpty else { throw .noSuchDevice(Self.nothing) }
        var obstacle: GuestError?
        for place in places {
            do throws(GuestError) {
                let answer = try Self.ask(place, method, path, body: body)
                guard answer.status != 200 else { return answer.body }
                let failure = Self.failure(answer)
                if case .noSuchService = failure { continue }
                throw failure
            } catch {
                switch error {
                // Another interface may have it.
                case .busy, .permission, .noSuchDevice: obstacle = obstacle ?? error
                default: throw error
                }
            }
        }
        throw obstacle
            ?? .noSuchService("no device of this guest offers a service '\(SystemFile.printable(name.utf8))'")
    }

    private static func ask(
        _ place: Place, _ method: String, _ path: String, body: [UInt8] = []
    ) throws(GuestError) -> DirectoryChannel.Answer {
        let session: any PipeSession
        do {
            session = try open(place)
        } catch {
            guard case .busy(let text) = error else { throw error }
            throw .busy(
                "\(text); a running '2virt-guest proxy' offers the same at its own address, below \(Self.path)")
        }
        let channel = try DirectoryChannel(session)
        let answer: Result<DirectoryChannel.Answer, GuestError>
        do throws(GuestError) {
            answer = .success(try channel.request(method, path, body: body))
        } catch {
            answer = .failure(error)
        }
        try channel.end()
        return try answer.get()
    }

    /// What a refusal of the directory means to a script.
    private static func failure(_ answer: DirectoryChannel.Answer) -> GuestError {
        let error = (try? JSONValue(parsing: answer.body))?["error"]
        let text = SystemFile.printable(
            (error?["message"]?.string ?? "the device answered with the status \(answer.status)").utf8)
        switch error?["kind"]?.string {
        case "no-such-service": return .noSuchService(text)
        case "no-such-operation", "bad-argument", "bad-request", "no-document": return .badCall(text)
        case "fault", "refused", "bad-answer": return .serviceFailed(text)
        case "unreachable": return .serviceDown(text)
        default: return .failed(text)
        }
    }

    /// RFC 3986 section 2.1.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            if byte < 0x80, Character(scalar).isLetter || Character(scalar).isNumber || "-._~".utf8.contains(byte) {
                result.unicodeScalars.append(scalar)
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return result
    }
}
