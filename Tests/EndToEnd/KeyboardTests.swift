import ControlProtocol
import GuestLab
import Testing

extension EndToEnd.GuestTests {
    /// What an operator types appears on a guest's own terminal.
    @Suite("Keyboard", .serialized) struct KeyboardTests {
        private static let keys = """
            [[device]]
            name = "keys"
            interfaces = [{ kind = "keyboard", name = "kbd" }]
            """

        private static let paragraph = """
            "It's 7 o'clock," he said; (isn't that {early}?) -- 100% of #1 & <most> [of] us_think: yes! ~/path\\to\\it
            \tA = b + c * d ^ e | f; `date` costs $5.00 @home, 2/3 done...
            THE QUICK BROWN FOX jumps over the lazy dog 0123456789

            """

        /// Plugs the keyboard and reads the first virtual terminal, which has the guest's keys, into a file.
        private func start(_ lab: LabEnvironment, _ guest: Guest) async throws {
            try await lab.startEngine()
            try await lab.check("plug", "keys", "workshop")
            try await eventually("a keyboard in the guest") {
                try await guest.run("grep -q 'Name=.*keys\"' /proc/bus/input/devices").exitCode == 0
            }
            try await guest.check(
                """
                loadkeys -q -C /dev/tty1 us
                stty -F /dev/tty1 sane -icanon -echo -isig
                killall cat 2>/dev/null
                cat </dev/tty1 >/tmp/typed &
                """)
        }

        private func typed(_ guest: Guest, becomes text: String) async throws {
            var found = ""
            do {
                try await eventually("what was typed", seconds: 20) {
                    // Its last line break is not part of what a command is said to have printed.
                    found = try await guest.run("cat /tmp/typed; echo .").text
                    return found == text + "."
                }
            } catch {
                throw LabEnvironment.Failure(description: "\(error); there was “\(found)”")
            }
        }

        @Test func aParagraphAppearsExactly() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.workshop()
            try await LabEnvironment.use(vms: guests.source, devices: Self.keys) { lab in
                try await start(lab, guest)
                let said = try await lab.check("type", "keys", Self.paragraph)
                #expect(said.contains("typed \(Self.paragraph.count) characters on keys/kbd"))
                try await typed(guest, becomes: Self.paragraph)

                // The guest's lights are the operator's.
                let before = try await lab.device("keys").interface("kbd")?.backend
                #expect(before == "layout us")
                try await guest.check(
                    """
                    event=$(sed -n '/keys"/,/Handlers/s/.*Handlers=.*leds.*\\(event[0-9]*\\).*/\\1/p' /proc/bus/input/devices)
                    printf '%b' '\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\021\\0\\01\\0\\01\\0\\0\\0' >/dev/input/$event
                    """)
                try await eventually("Caps Lock's light") {
                    try await lab.device("keys").interface("kbd")?.backend == "layout us, Caps Lock lit"
                }
                try await lab.check("unplug", "keys")
                let refused = try await lab.run("type", "keys", "x", "--config", lab.configuration)
                #expect(refused.status == 1 && refused.errors.contains("keys is not plugged"), "\(refused)")
                try await guest.check("killall cat")
            }
        }

        @Test(arguments: [
            (
                "de", "de-latin1-nodeadkeys",
                "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich: {[@]} \\ | ~ <>?! §$%&/()='*#;:_\n"
            ),
            ("fr", "fr-latin9", "Voix ambiguë: \"d'un coeur\" à 5 % près, ça déplaît où? [#1] {x} ~ @ < > ; / ! § *\n"),
        ])
        func otherLayouts(layout: String, keymap: String, text: String) async throws {
            let guests = try LabGuests.here
            let guest = try await guests.workshop()
            try await LabEnvironment.use(vms: guests.source, devices: Self.keys) { lab in
                try await start(lab, guest)
                try await guest.check("loadkeys -q -C /dev/tty1 \(keymap)")
                let answer = try await lab.run("type", "keys", text, "--layout", layout, "--config", lab.configuration)
                #expect(answer.status == 0, "\(answer)")
                try await typed(guest, becomes: text)
                try await guest.check("killall cat; loadkeys -q -C /dev/tty1 us")
                try await lab.check("unplug", "keys")
            }
        }

        @Test func aPasteIntoTheConsoleIsTyped() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.workshop()
            try await LabEnvironment.use(vms: guests.source, devices: Self.keys) { lab in
                try await start(lab, guest)
                let console = try lab.console()
                try await console.row(with: "● workshop")
                try await console.select(vm: "workshop", "workshop › keys  plugged")
                try console.press("i")
                try await console.wait(for: "keys/kbd>")
                try console.paste("echo 'a; b' | wc\nx=$((1 + 2))\n")
                try await typed(guest, becomes: "echo 'a; b' | wc\nx=$((1 + 2))\n")
                try console.press("l", "s", "Enter")
                try await typed(guest, becomes: "echo 'a; b' | wc\nx=$((1 + 2))\nls\n")
                try await console.row(with: "keys/kbd", "typed 3 characters")
                try console.press("Escape")
                try await guest.check("killall cat")
                try await lab.check("unplug", "keys")
            }
        }
    }
}
