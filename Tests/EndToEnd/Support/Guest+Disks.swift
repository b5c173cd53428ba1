import GuestLab

extension Guest {
    /// The name of the block device that a USB device has become, such as `sda`; waits until it is there.
    func disk(of serial: String, seconds: Double = 30) async throws -> String {
        var name = ""
        try await eventually("a disk of \(serial) in \(self.name)", seconds: seconds) {
            let found = try await run(
                """
                place=$(dirname $(grep -lx \(serial) /sys/bus/usb/devices/*/serial)) || exit 1
                disk=$(ls -d $place/*/host*/target*/*/block/*) || exit 1
                test -b /dev/${disk##*/} && echo ${disk##*/}
                """)
            name = found.text
            return found.exitCode == 0
        }
        return name
    }

    /// The SHA-256 of what a shell command prints; what it says on its standard error (`dd` counts there) is not the sum's.
    func sum(_ command: String, seconds: Int = 60) async throws -> String {
        String(try await check("{ \(command)\n} 2>/dev/null | sha256sum", timeout: .seconds(seconds)).prefix(64))
    }
}
