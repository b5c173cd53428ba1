import GuestLab
import SimulatedFirmware
import Testing
import USBIP

extension EndToEnd.GuestTests {
    /// `2virt-guest attach --tls`: the kernel has a plain socket, the network sees none of it.
    @Suite("USB/IP by TLS", .serialized) struct USBIPTLSTests {
        @Test func aDeviceIsUsedAndStrangersAreTurnedAway() async throws {
            let guest = try await LabGuests.here.networked()
            try await LabEnvironment.use(vms: "", devices: "") { lab in
                let certificates = try await TestCertificates.make(in: lab)
                let files = certificates.directory
                let tls = ExporterTLS(
                    certificateFile: "\(files)/host.pem", keyFile: "\(files)/host.key",
                    clientAuthorityFile: "\(files)/ca.pem")
                try await ExporterBench.use(tls: tls) { bench in
                    let lamp = try await bench.add("lamp", [.serial(name: "tty", to: "unix:\(lab.serialSocket)")])
                    for name in ["ca", "other", "guest", "stranger"] {
                        for suffix in name == "ca" || name == "other" ? ["pem"] : ["pem", "key"] {
                            try await guest.check(
                                "mkdir -p /tmp/tls; cat >/tmp/tls/\(name).\(suffix) <<'END'\n"
                                    + (try certificates.text("\(name).\(suffix)")) + "END")
                        }
                    }
                    func options(_ name: String, authority: String = "ca") -> String {
                        "--tls --certificate /tmp/tls/\(name).pem --key /tmp/tls/\(name).key --ca /tmp/tls/\(authority).pem"
                    }
                    let list = "2virt-guest list --remote \(bench.address) "
                    #expect(try await guest.check(list + options("guest")).hasPrefix(lamp.busID))
                    for wrong in [options("stranger"), options("guest", authority: "other"), ""] {
                        let refused = try await guest.run(list + wrong)
                        #expect(refused.exitCode == 6, "\(wrong): \(refused.text)")
                        let notAttached = try await guest.run(
                            "2virt-guest attach \(bench.address) \(lamp.busID) " + wrong)
                        #expect(notAttached.exitCode == 6, "\(wrong): \(notAttached.text)")
                    }
                    #expect(bench.attachments(of: lamp) == 0)

                    for round in 1...2 {
                        let mark = guest.kernelLogMark
                        try await guest.check(
                            "2virt-guest attach \(bench.address) \(lamp.busID) \(options("guest"))")
                        try await guest.waitForKernelLog(containing: "ttyACM0", since: mark)
                        let peer = try await EchoPeer.connect(to: lab.serialSocket)
                        #expect(
                            try await guest.check(
                                """
                                stty -F /dev/ttyACM0 raw -echo
                                head -c 100000 /dev/urandom | base64 >/tmp/sent
                                exec 3<>/dev/ttyACM0
                                head -c $(stat -c %s /tmp/sent) <&3 >/tmp/received &
                                cat /tmp/sent >&3
                                wait
                                cmp /tmp/sent /tmp/received && echo same
                                """) == "same")
                        try await peer.close()
                        #expect(try await guest.check("pidof 2virt-guest") != "")
                        try await guest.check("2virt-guest detach \(lamp.busID)")
                        try await guest.waitForDisconnect(since: mark)
                        try await eventually("a free device") { bench.exporter.importer(of: lamp.busID) == nil }
                        try await eventually("the end of the process in the background, round \(round)") {
                            try await guest.run("pidof 2virt-guest").exitCode != 0
                        }
                    }
                }
            }
        }
    }
}
