import ControlProtocol
import Foundation
import GuestLab
import Testing

extension EndToEnd.GuestTests {
    /// What 2Virt is for, with a guest that has no network card.
    @Suite("Main job", .serialized) struct MainJobTests {
        @Test func plugServeSwitchAndUnplugByKey() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.guest(.xhci)
            try await LabEnvironment.use(vms: guests.source, devices: "") { lab in
                let server = try await WebServer.start(in: lab)
                let sum = try await server.put("blob", mebibytes: 64)
                try lab.add(LabDevices.desk(upstream: server.port))

                // No engine runs: the console starts one in the background.
                let console = try lab.console()
                try await console.row(with: "● xhci")
                try await console.wait(for: "LIVE")

                // p: the guest sees our device, the console sees it plugged.
                var mark = guest.kernelLogMark
                try await console.plug("desk", into: "xhci")
                try await guest.waitForKernelLog(
                    containing: "New USB device found, idVendor=02a0, idProduct=a123", since: mark,
                    timeout: .seconds(30))
                try await guest.waitForKernelLog(containing: "ttyACM0: USB ACM device", since: mark)
                try await guest.check("test -c /dev/ttyACM0")
                try await console.row(with: "desk plugged into xhci")
                try await console.row(with: "● desk", "02a0:a123", "SS")
                try await console.wait(for: "xhci › desk  plugged")

                // 64 MiB through the device, and the counters of the traffic pane.
                try await guest.startProxy()
                let got = try await guest.check(
                    "wget -q -O - http://127.0.0.1:8080/blob | sha256sum", timeout: .seconds(240))
                try #require(String(got.prefix(64)) == sum, "the guest got other bytes than the server has")
                try await console.select(vm: "xhci", "› if2 web")
                try await check(console, lab, payload: 64 << 20)

                // 100 requests that are all under way before the first is answered.
                try await hundredRequests(guest, server)

                // 1 MB out to the host's end and back.
                try await serialEcho(guest, lab)

                // space: the serial port goes, the web service is back after the blink.
                mark = guest.kernelLogMark
                try await console.select(vm: "xhci", "› if0 tty")
                try console.press("Space")
                try await guest.waitForDisconnect(since: mark)
                try await guest.waitForKernelLog(containing: "New USB device found", since: mark)
                try await console.wait(for: "desk/tty switched off")
                try await guest.check("! test -e /dev/ttyACM0")
                try server.put("after", text: "still here")
                let after = try await guest.check("wget -q -O - http://127.0.0.1:8080/after", timeout: .seconds(60))
                #expect(after == "still here")

                // And on again.
                mark = guest.kernelLogMark
                try console.press("Space")
                try await guest.waitForKernelLog(containing: "ttyACM0: USB ACM device", since: mark)
                try await console.wait(for: "desk/tty switched on")

                // u u: gone.
                mark = guest.kernelLogMark
                try console.press("u")
                try await console.wait(for: "unplug desk? u again")
                try console.press("u")
                try await guest.waitForDisconnect(since: mark)
                try await console.row(with: "desk", "unplugged from xhci")
                try await guest.stopProxy()
            }
            #expect(try await guest.check("ls /sys/class/net") == "lo", "the guest has no other way to the host")
        }

        /// The figures on the screen, and behind them the exact ones, are the payload and what HTTP/2 puts around it.
        private func check(_ console: ConsoleDriver, _ lab: LabEnvironment, payload: UInt64) async throws {
            // 9 bytes for each frame of at most 16 KiB, and the headers of few requests.
            let most = payload + payload / 500 + 65_536
            var counters = Counters()
            try await eventually("the counters of web to have come to rest") {
                let before = counters
                counters = try await lab.device("desk").interface("web")?.counters ?? Counters()
                return counters == before && counters.bytesIn > 0
            }
            #expect((payload...most).contains(counters.bytesIn), "\(counters)")
            #expect(counters.bytesOut < 1 << 20, "requests and window updates only: \(counters)")
            #expect(counters.errors == 0)
            // What the pane says, to the tenth of a MiB it shows.
            let row = try await console.row(with: "dropped  in 64.", "M out")
            let total = try #require(row.firstMatch(of: /dropped  in ([0-9.]+)M out/)?.1)
            let mebibytes = try #require(Double(total))
            #expect(abs(mebibytes - Double(counters.bytesIn) / 1_048_576) <= 0.051)
        }

        private func hundredRequests(_ guest: Guest, _ server: WebServer) async throws {
            async let answers = guest.check(
                """
                mkdir -p /tmp/many; rm -f /tmp/many/*; i=0
                while [ $i -lt 100 ]; do
                    wget -q -O /tmp/many/$i "http://127.0.0.1:8080/cgi-bin/together?$i" &
                    i=$((i + 1))
                done
                wait
                for file in /tmp/many/*; do echo "${file##*/} $(cat $file)"; done
                rm -r /tmp/many
                """, timeout: .seconds(120))
            try await eventually("100 requests under way at once", seconds: 90) { server.arrived == 100 }
            server.openGate()
            let lines = try await Set(answers.split(separator: "\n").map(String.init))
            #expect(lines == Set((0..<100).map { "\($0) answer \($0)" }))
        }

        private func serialEcho(_ guest: Guest, _ lab: LabEnvironment) async throws {
            let peer = try await EchoPeer.connect(to: lab.serialSocket)
            try await guest.check(
                """
                stty -F /dev/ttyACM0 raw -echo
                head -c 1000000 /dev/urandom >/tmp/out
                head -c 1000000 /dev/ttyACM0 >/tmp/in & cat /tmp/out >/dev/ttyACM0; wait
                cmp /tmp/in /tmp/out && rm /tmp/in /tmp/out
                """, timeout: .seconds(60))
            try await peer.close()
        }
    }
}
