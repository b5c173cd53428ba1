import GuestLab
import SimulatedFirmware
import Testing
import USBIP

extension EndToEnd.GuestTests {
    /// `2virt-guest watch`: devices come and go as the host says, and as the guest allows.
    @Suite("USB/IP watch", .serialized) struct USBIPWatchTests {
        /// A guest that watches a desk, with one device to plug.
        private func watching(
            _ arguments: String = "",
            _ body: (Guest, ExporterBench, WatchDesk, ExportedDevice) async throws -> Void
        ) async throws {
            let guest = try await LabGuests.here.networked()
            let desk = WatchDesk()
            try await LabEnvironment.use(vms: "", devices: "") { lab in
                try await ExporterBench.use(watch: desk) { bench in
                    let lamp = try await bench.add("lamp", [.serial(name: "tty", to: "unix:\(lab.serialSocket)")])
                    let port = bench.port
                    do {
                        try await guest.check(
                            "2virt-guest watch 10.0.2.2:\(port) --name net \(arguments) >/tmp/watch.log 2>&1 &")
                        try await desk.greet()
                        try await body(guest, bench, desk, lamp)
                    } catch {
                        let log = try await guest.run("cat /tmp/watch.log; 2virt-guest ports").text
                        try await stop(guest)
                        throw LabEnvironment.Failure(description: "\(error)\n--- watch\n\(log)")
                    }
                    try await stop(guest)
                }
            }
        }

        /// Ends the watch and what it attached.
        private func stop(_ guest: Guest) async throws {
            try await guest.check(
                """
                killall 2virt-guest 2>/dev/null
                for port in $(2virt-guest ports 2>/dev/null | sed -n 's/^port \\([0-9]*\\) .*/\\1/p'); do
                    2virt-guest detach $port
                done
                true
                """)
        }

        @Test func plugAttachesUnplugDetaches() async throws {
            try await watching { guest, bench, desk, lamp in
                for round in 1...2 {
                    let mark = guest.kernelLogMark
                    try await desk.attach(lamp.busID, "lamp")
                    try await desk.wait(for: #"{"attached":{"busid":"1-1","port":"#, count: round)
                    try await guest.waitForKernelLog(containing: "SerialNumber: lamp", since: mark)
                    try await desk.detach(lamp.busID)
                    try await desk.wait(for: #"{"detached":{"busid":"1-1"}}"#, count: round)
                    try await guest.waitForDisconnect(since: mark)
                    #expect(try await guest.check("2virt-guest ports --json") == "[]")
                }
                try await desk.say(#"{"ping":{}}"#)
                try await desk.wait(for: #"{"pong":{}}"#)
                try await desk.attach("9-9", "nothing")
                try await desk.wait(for: #"{"failed":{"busid":"9-9","reason":""#)
            }
        }

        @Test func aLostLinkAndALostEngineComeBack() async throws {
            try await watching { guest, bench, desk, lamp in
                let started = guest.kernelLogMark
                try await desk.attach(lamp.busID, "lamp")
                try await desk.wait(for: #"{"attached":"#)
                // Before that there is nothing to disconnect, or a hub that is too busy to notice.
                try await guest.waitForKernelLog(containing: "ttyACM0: USB ACM device", since: started)
                // The device's connection alone.
                var mark = guest.kernelLogMark
                #expect(await bench.exporter.release(busID: lamp.busID, reason: "test"))
                try await guest.waitForDisconnect(since: mark)
                try await desk.wait(for: #"{"attached":"#, count: 2)
                try await guest.waitForKernelLog(containing: "ttyACM0: USB ACM device", since: mark)
                // All of it, as when an engine dies; the host then says again what belongs to the guest.
                mark = guest.kernelLogMark
                try await desk.hangUp()
                await bench.exporter.release(busID: lamp.busID, reason: "test")
                try await guest.waitForDisconnect(since: mark)
                try await desk.greet(count: 2)
                try await desk.attach(lamp.busID, "lamp")
                try await desk.wait(for: #"{"attached":"#, count: 3)
                try await guest.waitForKernelLog(containing: "ttyACM0: USB ACM device", since: mark)
                #expect(bench.attachments(of: lamp) == 3)
                // The device's connection outlives the watch's: nothing happens to it.
                try await desk.hangUp()
                try await desk.greet(count: 3)
                try await desk.attach(lamp.busID, "lamp")
                try await desk.wait(for: #"{"attached":"#, count: 4)
                #expect(bench.attachments(of: lamp) == 3)
            }
        }

        @Test(arguments: [
            "2virt-guest detach 1-1", "usbip detach -p 0",
            "echo 1 >$(dirname $(grep -lx lamp /sys/bus/usb/devices/*/serial))/remove",
        ])
        func whatTheGuestTakesAwayStaysAway(command: String) async throws {
            try await watching { guest, bench, desk, lamp in
                let started = guest.kernelLogMark
                try await desk.attach(lamp.busID, "lamp")
                try await desk.wait(for: #"{"attached":{"busid":"1-1","port":0}}"#)
                try await guest.waitForKernelLog(containing: "SerialNumber: lamp", since: started)
                let mark = guest.kernelLogMark
                try await guest.check(command)
                try await desk.wait(for: #"{"detached":{"busid":"1-1"}}"#)
                try await eventually("a free device") { bench.exporter.importer(of: lamp.busID) == nil }
                try await eventually("a free port") { try await guest.check("2virt-guest ports --json") == "[]" }
                // Longer than the first pause of a watch that would bring it back.
                try await Task.sleep(for: .seconds(3))
                #expect(bench.attachments(of: lamp) == 1)
                // The host's operator may ask again.
                try await desk.attach(lamp.busID, "lamp")
                try await desk.wait(for: #"{"attached":"#, count: 2)
                try await guest.waitForKernelLog(containing: "SerialNumber: lamp", since: mark)
            }
        }

        @Test func itCanBeToldNotToAndToTakeOnlySome() async throws {
            try await watching("--no-reattach --only lamp") { guest, bench, desk, lamp in
                try await desk.attach("1-2", "desk")
                try await desk.wait(for: #"{"failed":{"busid":"1-2","reason":"the guest's watch takes only other"#)
                try await desk.attach(lamp.busID, "lamp")
                try await desk.wait(for: #"{"attached":"#)
                await bench.exporter.release(busID: lamp.busID, reason: "test")
                try await desk.wait(for: #"{"detached":{"busid":"1-1"}}"#)
                try await Task.sleep(for: .seconds(3))
                #expect(bench.attachments(of: lamp) == 1)
            }
        }
    }
}
