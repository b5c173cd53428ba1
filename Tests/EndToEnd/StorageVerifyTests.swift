import Foundation
import GuestLab
import Testing

extension EndToEnd.GuestTests {
    /// A disk of ours under Debian's `fio`, which reads back and checks what it wrote.
    @Suite("Storage under fio", .serialized) struct StorageVerifyTests {
        @Test(arguments: ["direct", "snapshot"])
        func whatWasWrittenIsRead(mode: String) async throws {
            let guests = try LabGuests.here
            let guest = try await guests.guest("fio") { guests in
                GuestConfiguration(
                    name: "fio", image: try await GuestImageBuilder().build(GuestContents(packages: ["fio"])),
                    memoryMiB: 768, qmpDirectory: guests.qmpDirectory)
            }
            let devices = """
                [[device]]
                name = "drive"
                interfaces = [{ kind = "storage", name = "disk", image = "@/disk.img", mode = "\(mode)" }]
                """
            try await LabEnvironment.use(vms: guests.source(of: guest), devices: devices) { lab in
                _ = try DiskImage(lab.directory + "/disk.img", mebibytes: 64)
                try await lab.startEngine()
                try await lab.check("plug", "drive", "fio")
                let disk = try await guest.disk(of: "drive")
                for pattern in ["write", "randwrite", "randrw"] {
                    let said = try await guest.check(
                        """
                        cd /tmp && fio --name=\(pattern) --filename=/dev/\(disk) --rw=\(pattern) --direct=1 --size=16M \
                            --bsrange=4k-128k --ioengine=libaio --iodepth=8 --fsync=32 \
                            --verify=crc32c --verify_fatal=1 --do_verify=1 --verify_backlog=64 2>&1
                        """, timeout: .seconds(180))
                    #expect(said.contains("err= 0"), "\(pattern): \(said)")
                }
                #expect(try await lab.device("drive").interface("disk")?.counters.errors == 0)
                try await lab.check("unplug", "drive")
            }
        }
    }
}
