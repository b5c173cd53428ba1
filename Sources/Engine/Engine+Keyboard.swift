import ControlProtocol
import SimulatedFirmware
import USBClasses

extension Engine {
    /// Types with a keyboard of a device; answered when the guest has taken everything, or has left before.
    func type(
        _ text: String, layout word: String?, on name: String, _ interface: String?, actor: String
    ) async -> Outcome {
        var layout: KeyboardLayout?
        if let word {
            layout = KeyboardLayout(rawValue: word)
            if layout == nil { return .failed("\(CatalogueError.unknownLayout(printable(word)))") }
        }
        guard !text.isEmpty else { return .failed("there is nothing to type") }
        return await use(name, interface, actor: actor, "typed \(Self.characters(text.count))") {
            [layout] keyboard, done in
            try keyboard.type(text, layout: layout, whenTaken: done)
        }
    }

    /// Presses keys together and lets them go.
    func press(_ keys: String, on name: String, _ interface: String?, actor: String) async -> Outcome {
        let chord: KeyChord
        do {
            chord = try KeyChord(parsing: keys)
        } catch {
            return .failed("\(error)")
        }
        return await use(name, interface, actor: actor, "pressed \(printable(keys))") { keyboard, done in
            try keyboard.press(chord, whenTaken: done)
        }
    }

    private func use(
        _ name: String, _ interface: String?, actor: String, _ what: String,
        _ body: @escaping @Sendable (KeyboardFunction, @escaping (Bool) -> Void) throws -> Void
    ) async -> Outcome {
        guard let index = index(name) else { return .failed(unknownDevice(name)) }
        let record = devices[index]
        let keyboards = record.interfaces.filter { $0.kind == .keyboard }.map(\.name)
        guard let keyboard = interface ?? keyboards.first, keyboards.contains(keyboard) else {
            return .failed(
                interface.map { "\(name) has no keyboard '\(printable($0))'" } ?? "\(name) has no keyboard interface")
        }
        guard interface != nil || keyboards.count == 1 else {
            return .failed("\(name) has several keyboards: \(keyboards.joined(separator: ", ")); name one")
        }
        guard let host = record.host else { return .failed("\(name): \(record.trouble ?? "no device")") }
        guard record.state == .plugged || record.state == .imported else { return .failed("\(name) is not plugged") }
        guard record.gates[keyboard]?.state == .on else {
            return .failed("\(name)/\(keyboard) is switched \(record.gates[keyboard]?.state.rawValue ?? "off")")
        }
        let subject = Subject(vm: record.attachment?.vm, device: name, interface: keyboard)
        if let problem = await host.useKeyboard(keyboard, body) {
            publish(.warning, subject, actor: actor, kind: "typing-failed", problem)
            return .failed(problem)
        }
        publish(.info, subject, actor: actor, kind: "typed", what)
        return .done("\(what) on \(name)/\(keyboard)")
    }

    private static func characters(_ count: Int) -> String { count == 1 ? "1 character" : "\(count) characters" }
}
