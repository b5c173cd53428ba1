import Foundation
import TerminalTestKit

/// The built console in a real terminal of a given size, worked by keystrokes and read off the screen.
final class ConsoleDriver: Sendable {
    let tmux: Tmux
    let name: String
    private let pidFile: String

    /// Use ``LabEnvironment/console(columns:rows:arguments:environment:)``, which closes it at the end.
    ///
    /// - Parameters:
    ///   - arguments: all that follows the program's name.
    ///   - environment: put over the usual one.
    init(
        _ lab: LabEnvironment, columns: Int, rows: Int, arguments: String, environment: [String: String]
    ) throws {
        name = "\(columns)x\(rows)-\(UUID().uuidString.prefix(4))"
        pidFile = "\(lab.directory)/\(name).pid"
        let values = lab.variables.merging(["TERM": "tmux-256color"]) { $1 }.merging(environment) { $1 }
        let settings = values.map { "\($0.key)='\($0.value)'" }.sorted().joined(separator: " ")
        let program = try BuiltProducts.path(of: "2virt")
        tmux = try Tmux(
            columns: columns, rows: rows,
            shell: """
                sh -c 'echo $$ > \(pidFile); \
                exec env -i \(settings) \(program) \(arguments)'; \
                echo "rc=$?"; exec sleep 1000
                """)
    }

    var pid: Int32 {
        get throws {
            let text = try String(contentsOfFile: pidFile, encoding: .utf8)
            guard let pid = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
                throw LabEnvironment.Failure(description: "no process id of console \(name)")
            }
            return pid
        }
    }

    /// The picture, one line per row.
    var screen: String { get throws { try tmux.screen() } }
    var lines: [String] {
        get throws { try screen.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }
    }

    /// Keys by tmux's names: `p`, `Space`, `Enter`, `Down`.
    func press(_ keys: String...) throws {
        for key in keys { try tmux.press(key) }
    }

    func paste(_ text: String) throws { try tmux.paste(text) }

    func type(_ text: String) throws { try tmux.press("-l", text) }

    @discardableResult
    func wait(for text: String, seconds: Double = 30) async throws -> String {
        try await tmux.wait(seconds: seconds, for: "“\(text)” on the screen") { $0.contains(text) }
    }

    /// Waits for a row with all of these words in it, and returns it.
    @discardableResult
    func row(with words: String..., seconds: Double = 30) async throws -> String {
        var found = ""
        try await tmux.wait(seconds: seconds, for: "a row with \(words)") { screen in
            guard let row = screen.split(separator: "\n").first(where: { row in words.allSatisfy(row.contains) })
            else { return false }
            found = String(row)
            return true
        }
        return found
    }

    func waitWithout(_ text: String, seconds: Double = 30) async throws {
        try await tmux.wait(seconds: seconds, for: "a screen without “\(text)”") { !$0.contains(text) }
    }

    // MARK: What an operator does

    /// `p`, the device's name, Enter, the VM's name, Enter.
    func plug(_ device: String, into vm: String) async throws {
        try press("p")
        try await wait(for: "Plug which device?")
        try type(device)
        try await row(with: ">", "○ \(device) ")
        try press("Enter")
        try await wait(for: "Plug \(device) into which VM?")
        try type(vm)
        try await row(with: ">", "● \(vm) ")
        try press("Enter")
    }

    /// Goes to a VM in the list of VMs, and to one of its devices or interfaces; the line under the panes tells which
    /// object is selected.
    ///
    /// - Parameter row: as that line shows it, such as `xhci › desk › if0 tty`; nil stays on the VM.
    func select(vm: String, _ row: String? = nil) async throws {
        try await self.row(with: " \(vm) ")
        // Out of traffic and devices; on the VMs it does nothing.
        try press("Escape", "Escape", "g")
        try await moveDown(to: " \(vm)  ")
        guard let row else { return }
        try press("Enter", "g")
        try await moveDown(to: row)
    }

    /// From the first row on, in the pane that has the keys.
    func moveDown(to row: String) async throws {
        for _ in 0..<20 {
            let before = try await settledSelection()
            if before.contains(row) { return }
            try press("Down")
            if try await settledSelection() == before { break }
        }
        throw LabEnvironment.Failure(
            description: "there is no row “\(row)”; the last one was “\(try selection)”\n\(try screen)")
    }

    /// Nothing tells when a key has had its effect: what stays the same for a while is taken for it.
    private func settledSelection() async throws -> String {
        var last = try selection
        var since = ContinuousClock.now
        while ContinuousClock.now < since + .milliseconds(150) {
            try await Task.sleep(for: .milliseconds(30))
            let now = try selection
            if now != last { (last, since) = (now, ContinuousClock.now) }
        }
        return last
    }

    /// The third line from below: where the selected object is and how it is.
    var selection: String {
        get throws { try lines.dropLast(while: \.isEmpty).suffix(3).first ?? "" }
    }

    // MARK: The end

    func kill() throws { Glibc.kill(try pid, SIGKILL) }

    func close() throws { try tmux.closePane() }
}

extension Array {
    /// Without the elements at the end that are so.
    func dropLast(while isSo: (Element) -> Bool) -> ArraySlice<Element> {
        guard let last = lastIndex(where: { !isSo($0) }) else { return [] }
        return self[...last]
    }
}
