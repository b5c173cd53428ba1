import FirmwareTestKit
import Foundation
import GuestLab
import Testing

extension EndToEnd.GuestTests {
    /// Emulated firmware with an isochronous stream and a key: the guest's sound and input drivers use it.
    @Suite("Firmware panel", .serialized) struct FirmwarePanelTests {
        static let seconds = 5
        static let samplesPerMillisecond = 48

        /// The firmware's samples count up by one.
        struct Recording: CustomStringConvertible {
            let samples: [UInt16]
            /// Samples left out before each break.
            let missing: [Int]

            init(_ bytes: some Sequence<UInt8>) {
                let bytes = Array(bytes)
                samples = stride(from: 0, to: bytes.count - bytes.count % 2, by: 2).map {
                    UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8
                }
                missing = zip(samples, samples.dropFirst()).compactMap { earlier, later in
                    later == earlier &+ 1 ? nil : Int(later &- earlier &- 1)
                }
            }

            var description: String { "\(samples.count) samples, breaks of \(missing)" }
        }

        /// Records and compares; what is missing is whole packets, and only where that is allowed for.
        private func record(in guest: Guest, mayDrop: Bool) async throws {
            try await eventually("a sound card") {
                try await guest.run("test -e /dev/snd/pcmC0D0c").exitCode == 0
            }
            let waited = try CPUPressure.waited()
            let messages = try await guest.run(
                "arecord -D hw:0,0 -t raw -f S16_LE -r 48000 -c 1 -d \(Self.seconds) --buffer-time=4000000 /tmp/count 2>&1",
                timeout: .seconds(Self.seconds + 60))
            #expect(messages.exitCode == 0 && !messages.text.contains("overrun"), "\(messages.text)")
            let recording = Recording(try await guest.run("cat /tmp/count; rm /tmp/count").output)
            let pressure = try CPUPressure.waited() - waited
            #expect(recording.samples.count == Self.seconds * 1000 * Self.samplesPerMillisecond)
            if mayDrop || pressure > .seconds(Self.seconds) / 4 {
                #expect(recording.missing.allSatisfy { $0 % Self.samplesPerMillisecond == 0 }, "\(recording)")
            } else {
                #expect(recording.missing.isEmpty, "\(recording)")
            }
            print("Emulated microphone: \(recording); somebody waited for a processor for \(pressure)")
        }

        @Test func recordsAndTypesByUSBRedirection() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.workbench()
            try await LabEnvironment.use(vms: guests.source(of: guest), devices: "") { lab in
                try FirmwareBuilder.compile("panel.c", to: lab.directory + "/panel.elf")
                try lab.add(LabDevices.emulated("panel", image: "panel.elf", board: "stm32f072disco"))
                try await lab.startEngine()
                let mark = guest.kernelLogMark
                try await lab.check("plug", "panel", "workbench")
                try await guest.waitForKernelLog(containing: "Product: panel", since: mark)
                // QEMU's xHCI leaves packets out when it is late, as it does with the simulated microphone.
                try await record(in: guest, mayDrop: true)

                // The key is held while the button is: an event of type EV_KEY, code KEY_A, for each change.
                let events = "$(grep -l panel /sys/class/input/event*/device/name | cut -d / -f 5)"
                try await guest.check(
                    """
                    (exec 3</dev/input/\(events); touch /tmp/open; timeout 20 head -c 144 <&3 >/tmp/keys; touch /tmp/told) &
                    until test -e /tmp/open; do sleep 0.1; done; rm /tmp/open
                    """)
                try await lab.check("button", "panel")
                try await guest.check(
                    "until test -e /tmp/told; do sleep 0.1; done; rm /tmp/told", timeout: .seconds(30))
                let bytes = Array(try await guest.run("cat /tmp/keys; rm /tmp/keys").output)
                let keys = stride(from: 0, to: bytes.count - bytes.count % 24, by: 24).map {
                    Array(bytes[$0 + 16..<$0 + 24])
                }
                .filter { $0[0] == 1 }
                #expect(keys == [[1, 0, 30, 0, 1, 0, 0, 0], [1, 0, 30, 0, 0, 0, 0, 0]])
                try await lab.check("unplug", "panel")
            }
        }

        @Test func recordsByUSBIP() async throws {
            let guest = try await LabGuests.here.networked()
            try await LabEnvironment.use(vms: "", devices: "[usbip]\nlisten = [\"127.0.0.1:0\"]") { lab in
                try FirmwareBuilder.compile("panel.c", to: lab.directory + "/panel.elf")
                try lab.add(LabDevices.emulated("panel", image: "panel.elf", board: "stm32f072disco"))
                try await lab.startEngine()
                let (address, bus) = try await lab.exported("panel")
                try await guest.check("modprobe vhci-hcd; modprobe snd-usb-audio; 2virt-guest attach \(address) \(bus)")
                try await record(in: guest, mayDrop: false)
                let mark = guest.kernelLogMark
                try await guest.check("2virt-guest detach \(bus)")
                try await guest.waitForDisconnect(since: mark)
            }
        }
    }
}
