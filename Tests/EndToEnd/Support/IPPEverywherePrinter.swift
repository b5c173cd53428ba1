import Foundation
import TerminalTestKit

/// A real IPP printer on the host's loopback: `ippeveprinter` of CUPS, which keeps every job in a folder.
///
/// It wants a system bus even when it announces itself to nobody; it gets one of its own, where nobody else is.
final class IPPEverywherePrinter {
    let port: Int
    let folder: String
    private let lab: LabEnvironment
    private let bus: Child
    private var printer: Child?

    private var log: String { lab.directory + "/ippeveprinter.log" }
    private var address: String { "unix:path=" + lab.directory + "/bus" }

    static func start(in lab: LabEnvironment) async throws -> IPPEverywherePrinter {
        let settings = lab.directory + "/bus.conf"
        try """
        <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
          "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
        <busconfig>
          <listen>unix:path=\(lab.directory)/bus</listen>
          <policy context="default">
            <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
          </policy>
        </busconfig>
        """.write(toFile: settings, atomically: true, encoding: .utf8)
        let log = lab.directory + "/bus.log"
        let bus = try Child(
            "/usr/bin/dbus-daemon", ["--nofork", "--config-file=\(settings)"], variables: lab.variables, output: log,
            errors: log)
        let printer = try IPPEverywherePrinter(port: try WebServer.freePort(), lab: lab, bus: bus)
        do {
            try await eventually("a bus for the printer") {
                FileManager.default.fileExists(atPath: lab.directory + "/bus")
            }
            try await printer.switchOn()
        } catch {
            printer.stop()
            throw error
        }
        return printer
    }

    private init(port: Int, lab: LabEnvironment, bus: Child) throws {
        self.port = port
        self.lab = lab
        self.bus = bus
        folder = lab.directory + "/jobs"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    func switchOn() async throws {
        let child = try Child(
            "/usr/sbin/ippeveprinter",
            ["-k", "-d", folder, "-p", "\(port)", "-r", "off", "-f", "image/pwg-raster", "-v", "lab"],
            variables: lab.variables.merging(["DBUS_SYSTEM_BUS_ADDRESS": address]) { $1 }, output: log, errors: log)
        printer = child
        try await eventually("the printer on port \(port)") {
            guard child.isRunning else {
                let text = (try? String(contentsOfFile: self.log, encoding: .utf8)) ?? ""
                throw LabEnvironment.Failure(description: "ippeveprinter ended: \(text.suffix(1000))")
            }
            return WebServer.connects(self.port)
        }
    }

    func switchOff() {
        printer?.kill()
        _ = printer?.end()
        printer = nil
    }

    /// Ends the printer and its bus.
    func stop() {
        switchOff()
        bus.kill()
        _ = bus.end()
    }

    /// The one job of this size, as a file.
    func job(ofSize size: Int) throws -> String? {
        try FileManager.default.contentsOfDirectory(atPath: folder).map { "\(folder)/\($0)" }.first {
            try FileManager.default.attributesOfItem(atPath: $0)[.size] as? Int == size
        }
    }
}
