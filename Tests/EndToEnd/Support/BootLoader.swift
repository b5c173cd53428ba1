import Foundation
import GuestLab
import TerminalTestKit

/// A virtual machine without an operating system: GRUB at its rescue prompt, whose keys come from SeaBIOS's own USB
/// driver and whose screen is a serial port.
final class BootLoader {
    static let prompt = "grub rescue> "
    let qmp: String
    private let lab: LabEnvironment
    private let monitor: String
    private let log: String
    private let machine: Child

    /// - Parameter controller: one whose devices SeaBIOS can use.
    init(_ controller: USBController, in lab: LabEnvironment) async throws {
        self.lab = lab
        qmp = lab.directory + "/loader.qmp"
        monitor = lab.directory + "/monitor"
        log = lab.directory + "/loader.log"
        let disk = lab.directory + "/loader.img"
        try await Self.makeDisk(disk, lab)
        machine = try Child(
            "/usr/bin/qemu-system-x86_64",
            [
                "-name", "loader", "-machine", "pc", "-m", "64", "-nodefaults", "-no-user-config", "-display", "none",
                "-drive", "file=\(disk),format=raw,if=ide", "-serial", "file:\(log)",
                "-qmp", "unix:\(qmp),server=on,wait=off", "-monitor", "unix:\(monitor),server=on,wait=off",
                "-device", "\(controller.device),id=\(controller.rawValue)",
            ], variables: lab.variables, output: lab.directory + "/loader.out", errors: lab.directory + "/loader.out")
        do {
            try await prompt(1)
        } catch {
            stop()
            throw error
        }
    }

    /// All that it has said.
    var screen: String {
        get throws {
            // Bytes while the firmware starts are nobody's text.
            FileManager.default.contents(atPath: log).map { String(decoding: $0, as: UTF8.self) } ?? ""
        }
    }

    func shows(_ text: String) async throws {
        do {
            try await eventually("“\(text)” on the loader's screen") { try self.screen.contains(text) }
        } catch {
            throw LabEnvironment.Failure(description: "\(error); there was “\(try screen.suffix(1000))”")
        }
    }

    /// Presses its reset button, and returns when the loader has started again; SeaBIOS looks for keyboards only then.
    func reset() async throws {
        let before = try prompts
        let child = try Child(
            "/bin/sh", ["-c", "echo system_reset | socat - UNIX-CONNECT:\(monitor)"], variables: lab.variables,
            output: lab.directory + "/loader.out", errors: lab.directory + "/loader.out")
        let status = await child.ended()
        guard status == 0 else { throw LabEnvironment.Failure(description: "no reset: socat ended with \(status)") }
        try await prompt(before + 1)
    }

    func stop() {
        machine.kill(SIGKILL)
        _ = machine.end()
    }

    private var prompts: Int { get throws { try screen.components(separatedBy: Self.prompt).count - 1 } }

    private func prompt(_ count: Int) async throws {
        try await eventually("a boot loader's prompt", seconds: 60) {
            guard self.machine.isRunning else {
                let text = FileManager.default.contents(atPath: self.lab.directory + "/loader.out") ?? Data()
                throw LabEnvironment.Failure(description: "QEMU ended: \(String(decoding: text, as: UTF8.self))")
            }
            return try self.prompts >= count
        }
    }

    /// Debian's GRUB with what its prompt needs, behind its own boot sector.
    private static func makeDisk(_ path: String, _ lab: LabEnvironment) async throws {
        let settings = path + ".cfg"
        try """
        serial --unit=0 --speed=115200
        terminal_output serial
        terminal_input console

        """.write(toFile: settings, atomically: true, encoding: .utf8)
        let core = path + ".core"
        let child = try Child(
            "/usr/bin/grub-mkimage",
            ["-O", "i386-pc", "-o", core, "-p", "/boot", "-c", settings, "biosdisk", "serial", "terminal"],
            variables: lab.variables, output: path + ".log", errors: path + ".log")
        let status = await child.ended()
        guard status == 0, let sector = FileManager.default.contents(atPath: "/usr/lib/grub/i386-pc/boot.img"),
            var image = FileManager.default.contents(atPath: core)
        else {
            let text = (try? String(contentsOfFile: path + ".log", encoding: .utf8)) ?? ""
            throw LabEnvironment.Failure(description: "no image of GRUB (\(status)): \(text)")
        }
        image = sector + image
        image.append(Data(count: (1 << 20) - image.count))
        try image.write(to: URL(fileURLWithPath: path))
    }
}

extension USBController {
    /// QEMU's name of it.
    fileprivate var device: String {
        switch self {
        case .xhci: "qemu-xhci"
        case .ehci: "usb-ehci"
        case .ich9: "ich9-usb-ehci1"
        case .uhci: "piix3-usb-uhci"
        case .ohci: "pci-ohci"
        }
    }
}
