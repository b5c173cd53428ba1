import ControlProtocol
import FirmwareEmulator

/// Hands on the boards of emulated devices.
extension Engine {
    /// How long a tap presses: longer than firmware debounces, shorter than a long press.
    static let tapLength = Duration.milliseconds(150)

    /// Presses or releases a button; of a board with one button, it need not be named.
    func pressButton(_ button: String?, of name: String, _ action: ButtonAction, actor: String) async -> Outcome {
        guard let index = index(name) else { return .failed(unknownDevice(name)) }
        let record = devices[index]
        guard record.isEmulated else { return .failed("\(name) is not emulated firmware: it has no board") }
        guard let host = record.host else { return .failed("\(name): \(record.trouble ?? "no device")") }
        let known = await host.report().emulator?.status.buttons.map(\.name) ?? []
        guard !known.isEmpty else { return .failed("the board of \(name) has no button") }
        guard let chosen = button ?? (known.count == 1 ? known.first : nil) else {
            return .failed("which button of \(name)? It has: \(known.joined(separator: ", "))")
        }
        guard known.contains(chosen) else {
            return .failed("\(name) has no button '\(printable(chosen))'; known: \(known.joined(separator: ", "))")
        }
        switch action {
        case .hold: await host.setButton(chosen, pressed: true)
        case .release: await host.setButton(chosen, pressed: false)
        case .tap:
            await host.setButton(chosen, pressed: true)
            // An engine that ends lets go at once.
            try? await Task.sleep(for: Self.tapLength)
            await host.setButton(chosen, pressed: false)
        }
        changed()
        return .done(
            "\(name): button \(chosen) \(action == .release ? "released" : action == .hold ? "held" : "pressed")")
    }

    /// Resets the chip, as its reset pin would; a crashed firmware starts again.
    func resetChip(_ name: String, actor: String) async -> Outcome {
        guard let index = index(name) else { return .failed(unknownDevice(name)) }
        let record = devices[index]
        guard record.isEmulated else { return .failed("\(name) is not emulated firmware: it has no chip to reset") }
        guard let host = record.host else { return .failed("\(name): \(record.trouble ?? "no device")") }
        await host.resetChip()
        publish(
            .info, Subject(vm: record.attachment?.vm, device: name), actor: actor, kind: "chip-reset",
            "the chip was reset")
        return .done("\(name): the chip was reset")
    }
}
