import ControlProtocol
import Foundation
import GuestLab
import TestDirectory
import Testing

extension EndToEnd.GuestTests {
    /// Many devices in many guests at once: all work, and what they cost is printed.
    @Suite("Crowd", .serialized) struct CrowdTests {
        private static let guestCount = 8
        private static let deviceCount = 32
        /// Of the engine, for each device with its four interfaces; several times what is needed.
        private static let kibibytesPerDevice = 4096

        private static var devices: String {
            (0..<deviceCount).map { number in
                """
                [[device]]
                name = "dev\(number)"
                interfaces = [
                  { kind = "serial", name = "tty", to = "pty" },
                  { kind = "web-service", name = "web", upstreams = ["127.0.0.1:9"] },
                  { kind = "keyboard", name = "kbd" },
                  { kind = "printer", name = "lp", to = "spool:@/spool" },
                ]

                """
            }.joined(separator: "\n")
        }

        @Test(.timeLimit(.minutes(20))) func thirtyTwoDevicesInEightGuests() async throws {
            let directory = try TemporaryDirectory()
            let image = try LabGuests.here.image
            var guests: [Guest] = []
            do {
                // Two cores boot two at a time.
                for number in stride(from: 0, to: Self.guestCount, by: 2) {
                    async let one = Self.boot("crowd\(number)", image, directory.path)
                    async let other = Self.boot("crowd\(number + 1)", image, directory.path)
                    guests += try await [one, other]
                }
                let vms = "[[vms]]\nsource = \"qmp-directory\"\npath = \"\(directory.path)\""
                try await LabEnvironment.use(vms: vms, devices: Self.devices) { lab in
                    try FileManager.default.createDirectory(
                        atPath: lab.directory + "/spool", withIntermediateDirectories: true)
                    try await lab.startEngine()
                    try await use(lab, guests)
                }
            } catch {
                for guest in guests { await guest.shutdown() }
                throw error
            }
            for guest in guests { await guest.shutdown() }
        }

        private static func boot(_ name: String, _ image: GuestImage, _ directory: String) async throws -> Guest {
            try await Guest.boot(
                GuestConfiguration(
                    name: name, image: image, qmpDirectory: directory, bootTimeout: .seconds(240)))
        }

        private func use(_ lab: LabEnvironment, _ guests: [Guest]) async throws {
            let pid = try await lab.enginePID()
            let before = try Self.usage(pid)
            for number in 0..<Self.deviceCount {
                try await lab.check("plug", "dev\(number)", guests[number % guests.count].name)
            }
            let all = try await lab.snapshot().devices
            #expect(all.count { $0.state == .plugged && $0.guest == .configured } == Self.deviceCount)
            for (index, guest) in guests.enumerated() {
                // Each has its own four, and nobody else's, with the drivers of its own kernel.
                let names = try await guest.check("cat /sys/bus/usb/devices/*/serial | grep '^dev' | sort")
                let expected = stride(from: index, to: Self.deviceCount, by: guests.count).map { "dev\($0)" }
                #expect(Set(names.split(separator: "\n").map(String.init)) == Set(expected))
                try await eventually("drivers in \(guest.name)") {
                    try await guest.check("ls /dev/ttyACM* /dev/usb/lp* 2>/dev/null | wc -l") == "8"
                }
            }
            let plugged = try Self.usage(pid)
            let perDevice = (plugged.kibibytes - before.kibibytes) / Self.deviceCount
            #expect(perDevice < Self.kibibytesPerDevice)
            // A while in which nobody does anything.
            let began = ContinuousClock.now
            try await Task.sleep(for: .seconds(10))
            let seconds = (ContinuousClock.now - began) / .seconds(1)
            let busy = try Self.usage(pid).seconds - plugged.seconds
            print(
                "Crowd: \(Self.deviceCount) devices with 4 interfaces in \(guests.count) guests: engine \(plugged.kibibytes) "
                    + "KiB, \(perDevice) KiB for each device's plug; idle \(busy / seconds * 100) % of a core")
            for number in 0..<Self.deviceCount { try await lab.check("unplug", "dev\(number)") }
        }

        /// Resident memory, and processor time since the start.
        private static func usage(_ pid: Int32) throws -> (kibibytes: Int, seconds: Double) {
            let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            let times = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
            guard let memory = status.firstMatch(of: /VmRSS:\s*([0-9]+) kB/).flatMap({ Int($0.1) }),
                let rest = times.split(separator: ")").last?.split(separator: " "), rest.count > 13,
                let user = Double(rest[11]), let system = Double(rest[12])
            else { throw LabEnvironment.Failure(description: "/proc/\(pid) cannot be read") }
            return (memory, (user + system) / Double(sysconf(Int32(_SC_CLK_TCK))))
        }
    }
}
