import AudioTestKit
import Foundation
import GuestLab
import SimulatedFirmware
import TerminalTestKit
import TestDirectory
import Testing

extension EndToEnd {
    /// Isochronous input by usbredir: ALSA in the guest records a known tone, and every sample of it is compared.
    ///
    /// QEMU's EHCI makes up for frames that QEMU was too late for, its xHCI does not when it was late by more than four
    /// (hcd-xhci.c, xhci_calc_iso_kick): there an emulated guest takes less than real time brings, and QEMU drops packets
    /// once it holds 120 ms of them. It also does when it got no processor for so long. So nothing may be missing behind
    /// EHCI on a machine that has time for it, and otherwise only what QEMU drops: whole packets, many at a time.
    @Suite("Microphone", .serialized) struct MicrophoneTests {
        struct Case: Sendable, CustomTestStringConvertible {
            var controller: USBController
            /// `speed` of the configuration; nil: what the port takes.
            var asked: String?
            var sysfs: String
            var seconds: Int
            var mayDrop = true

            var testDescription: String { "\(controller.rawValue), \(asked ?? "any") speed, \(seconds) s" }
        }

        @Test(arguments: [
            Case(controller: .ehci, sysfs: "480", seconds: 30, mayDrop: false),
            Case(controller: .xhci, asked: "high", sysfs: "480", seconds: 10),
            Case(controller: .xhci, sysfs: "5000", seconds: 10),
            Case(controller: .xhci, asked: "full", sysfs: "12", seconds: 10),
        ])
        func everySampleIsRecorded(_ test: Case) async throws {
            let directory = try TemporaryDirectory()
            let guest = try await Guest.boot(
                GuestConfiguration(
                    name: "studio", image: try await GuestImageBuilder().build(GuestContents(packages: ["alsa-utils"])),
                    controllers: [test.controller], memoryMiB: 384, qmpDirectory: directory.path))
            let speed = test.asked.map { "speed = \"\($0)\"" } ?? ""
            try await LabEnvironment.use(
                vms: "[[vms]]\nsource = \"qmp-directory\"\npath = \"\(directory.path)\"",
                devices: """
                    [[device]]
                    name = "booth"
                    \(speed)
                    interfaces = [{ kind = "microphone", name = "mic", tone = 1000 }]
                    """
            ) { lab in
                try await lab.startEngine()
                try await lab.check("plug", "booth", "studio")
                try await eventually("a sound card") {
                    try await guest.run("test -e /dev/snd/pcmC0D0c").exitCode == 0
                }
                #expect(
                    try await guest.check("cat $(dirname $(grep -lx booth /sys/bus/usb/devices/*/serial))/speed")
                        == test.sysfs)
                let waited = try CPUPressure.waited()
                let messages = try await guest.run(
                    "arecord -D hw:0,0 -t raw -f S16_LE -r 48000 -c 1 -d \(test.seconds) --buffer-time=4000000 /tmp/tone 2>&1",
                    timeout: .seconds(test.seconds + 60))
                #expect(messages.exitCode == 0 && !messages.text.contains("overrun"), "\(messages.text)")
                let bytes = try await guest.run("cat /tmp/tone; rm /tmp/tone").output
                let recording = ToneRecording(bytes, of: try TestTone(frequency: 1000))
                #expect(recording.firstSample == 0)
                #expect(recording.milliseconds == test.seconds * 1000)
                let pressure = try CPUPressure.waited() - waited
                let isBusy = pressure > .seconds(test.seconds) / 4
                if test.mayDrop || isBusy {
                    let packet = TestTone.samplesPerMillisecond
                    #expect(
                        recording.faults.allSatisfy { fault in
                            fault.missing.map { $0 >= 40 * packet && $0 % packet == 0 } ?? false
                        }, "\(recording)")
                } else {
                    #expect(recording.isFlawless, "\(recording)")
                }
                print("\(test.testDescription): \(recording); somebody waited for a processor for \(pressure)")
                try await lab.check("unplug", "booth")
            }
            await guest.shutdown()
        }
    }
}
