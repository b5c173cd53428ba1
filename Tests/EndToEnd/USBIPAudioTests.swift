import AudioTestKit
import GuestLab
import SimulatedFirmware
import Testing
import USBCore
import USBIP

extension EndToEnd.GuestTests {
    /// Isochronous transfers over USB/IP, by ALSA.
    @Suite("USB/IP isochronous", .serialized) struct USBIPAudioTests {
        @Test(arguments: [(Speed.high, 30), (Speed.full, 5)])
        func aRecordingIsTheToneSampleBySample(speed: Speed, seconds: Int) async throws {
            let guest = try await LabGuests.here.networked()
            let tone = try TestTone(frequency: 440)
            try await ExporterBench.use { bench in
                try await bench.add("mic", [.microphone(name: "mic", tone: tone)], speed: speed)
                try await guest.check("modprobe snd-usb-audio; 2virt-guest attach \(bench.address) mic")
                try await eventually("a sound card") {
                    try await guest.run("ls /dev/snd/pcmC0D0c").exitCode == 0
                }
                let mark = guest.kernelLogMark
                let waited = try CPUPressure.waited()
                let report = try await guest.check(
                    """
                    arecord -D hw:0,0 -t raw -f S16_LE -r 48000 -c 1 -d \(seconds) --buffer-time=4000000 /tmp/tone 2>&1 | tail -n 40
                    """, timeout: .seconds(seconds + 60))
                let log = guest.kernelLog(since: mark).suffix(20).joined(separator: "\n")
                let recording = ToneRecording(try await guest.run("cat /tmp/tone").output, of: tone)
                // A machine that is busy with something else makes the emulated guest late; what is then missing is whole
                // milliseconds.
                let pressure = try CPUPressure.waited() - waited
                if pressure > .seconds(seconds) / 4 {
                    #expect(
                        recording.faults.allSatisfy { $0.missing.map { $0 > 0 && $0 % 48 == 0 } ?? false },
                        "\(recording)\n\(report)\n\(log)")
                } else {
                    #expect(recording.isFlawless, "\(recording)\n\(report)\n\(log)")
                }
                #expect(recording.milliseconds == seconds * 1000)
                #expect(!report.contains("overrun"))
                print("USB/IP: \(speed) speed: \(recording); somebody waited for a processor for \(pressure)")
                try await guest.check("rm /tmp/tone; 2virt-guest detach mic")
            }
        }
    }
}
