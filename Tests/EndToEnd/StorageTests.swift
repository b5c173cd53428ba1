import ControlProtocol
import Foundation
import GuestLab
import Testing

extension EndToEnd.GuestTests {
    /// Disks and CD-ROMs from images, used by a real guest's own drivers and tools.
    @Suite("Storage", .serialized) struct StorageTests {
        private static func drive(_ mode: String, _ image: String = "disk.img") -> String {
            """
            [[device]]
            name = "drive"
            interfaces = [{ kind = "storage", name = "disk", image = "@/\(image)", mode = "\(mode)" }]
            """
        }

        @Test func aFileSystemOutlivesItsPlugs() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.workshop()
            try await LabEnvironment.use(vms: guests.source, devices: Self.drive("direct")) { lab in
                let image = try DiskImage(lab.directory + "/disk.img", mebibytes: 64)
                try await lab.startEngine()
                try await lab.check("plug", "drive", "workshop")
                var disk = try await guest.disk(of: "drive")
                #expect(try await guest.check("cat /sys/block/\(disk)/size") == "131072")
                try await guest.check(
                    """
                    set -e
                    mkfs.ext4 -q -b 4096 /dev/\(disk)
                    mkdir -p /mnt/drive
                    mount -t ext4 /dev/\(disk) /mnt/drive
                    seq 1 700000 >/mnt/drive/numbers
                    sync
                    """, timeout: .seconds(120))
                let sum = try await guest.sum("cat /mnt/drive/numbers")

                // What is open there is not taken away by an eject, and the operator is told what has it.
                try await eventually("the engine to know that the disk is mounted") {
                    try await lab.device("drive").interface("disk")?.backend.hasSuffix("(direct), in use") == true
                }
                async let ejected = lab.run("eject", "drive", "--config", lab.configuration)
                try await eventually("an eject that waits") {
                    try await lab.check("events").contains("waiting until workshop has unmounted disk")
                }
                #expect(try await lab.device("drive").state == .plugged)
                var mark = guest.kernelLogMark
                try await guest.check("umount /mnt/drive")
                let answer = try await ejected
                #expect(answer.status == 0, "\(answer)")
                try await guest.waitForDisconnect(since: mark)

                // The file is in the image, whatever a file system made of its place.
                let numbers = Data((1...700_000).map { "\($0)\n" }.joined().utf8)
                #expect(try image.holds(blocksOf: numbers))

                mark = guest.kernelLogMark
                try await lab.check("plug", "drive", "workshop")
                disk = try await guest.disk(of: "drive")
                try await guest.check("fsck.ext4 -fn /dev/\(disk)", timeout: .seconds(60))
                try await guest.check("mount -t ext4 /dev/\(disk) /mnt/drive")
                #expect(try await guest.sum("cat /mnt/drive/numbers") == sum)
                try await guest.check("umount /mnt/drive")
                try await lab.check("unplug", "drive")
            }
        }

        @Test func aReadOnlyImageStaysAsItIs() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.workshop()
            try await LabEnvironment.use(vms: guests.source, devices: Self.drive("read-only")) { lab in
                let image = try DiskImage(lab.directory + "/disk.img", mebibytes: 8)
                let before = try await DiskImage.sum(of: image.path)
                try await lab.startEngine()
                let mark = guest.kernelLogMark
                try await lab.check("plug", "drive", "workshop")
                let disk = try await guest.disk(of: "drive")
                try await guest.waitForKernelLog(containing: "[\(disk)] Write Protect is on", since: mark)
                #expect(try await guest.check("cat /sys/block/\(disk)/ro") == "1")
                try await guest.check("! dd if=/dev/urandom of=/dev/\(disk) bs=4096 count=1 conv=fsync")
                // Past the guest's own check: the disk itself refuses.
                let forced = try await guest.run(
                    """
                    head -c 512 /dev/urandom >/tmp/block
                    sg_raw -R -s 512 -i /tmp/block /dev/\(disk) 2a 00 00 00 00 00 00 00 01 00 2>&1
                    """)
                #expect(forced.exitCode != 0 && forced.text.contains("Write protected"), "\(forced.text)")
                #expect(try await guest.sum("dd if=/dev/\(disk) bs=1M") == before)
                try await lab.check("unplug", "drive")
                #expect(try await DiskImage.sum(of: image.path) == before)
            }
        }

        @Test func aSnapshotIsForgotten() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.workshop()
            try await LabEnvironment.use(vms: guests.source, devices: Self.drive("snapshot")) { lab in
                let image = try DiskImage(lab.directory + "/disk.img", mebibytes: 8)
                let before = try await DiskImage.sum(of: image.path)
                try await lab.startEngine()
                try await lab.check("plug", "drive", "workshop")
                let disk = try await guest.disk(of: "drive")
                let written = try await guest.sum(
                    """
                    head -c 1000000 /dev/urandom >/tmp/new
                    dd if=/tmp/new of=/dev/\(disk) bs=4096 seek=3 conv=fsync 2>/dev/null
                    cat /tmp/new
                    """)
                try await guest.check("echo 3 >/proc/sys/vm/drop_caches")
                #expect(
                    try await guest.sum("dd if=/dev/\(disk) bs=4096 skip=3 2>/dev/null | head -c 1000000") == written)
                try await lab.check("unplug", "drive")
                #expect(try await DiskImage.sum(of: image.path) == before)
            }
        }

        @Test func nonsenseFromAGuestCostsNothingButItsCommand() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.workshop()
            try await LabEnvironment.use(vms: guests.source, devices: Self.drive("direct")) { lab in
                _ = try DiskImage(lab.directory + "/disk.img", mebibytes: 8)
                try await lab.startEngine()
                try await lab.check("plug", "drive", "workshop")
                let disk = try await guest.disk(of: "drive")
                // Beyond the end: by the last block, by count, by a 64-bit address.
                for command in [
                    "28 00 00 00 40 00 00 00 01 00", "28 00 00 00 3f ff 00 00 02 00",
                    "88 00 ff ff ff ff ff ff ff ff 00 00 00 01 00 00",
                ] {
                    let read = try await guest.run("sg_raw -r 1024 /dev/\(disk) \(command) 2>&1")
                    #expect(read.text.contains("Logical block address out of range"), "\(command): \(read.text)")
                }
                // More announced than the host takes, less than it sends, the wrong way round, and no command at all.
                for arguments in [
                    "-r 512 /dev/\(disk) 28 00 00 00 00 00 00 00 08 00",
                    "-s 4096 -i /dev/zero /dev/\(disk) 2a 00 00 00 00 08 00 00 01 00",
                    "-r 512 /dev/\(disk) 2a 00 00 00 00 08 00 00 01 00",
                    "-s 512 -i /dev/zero /dev/\(disk) 28 00 00 00 00 08 00 00 01 00",
                    "-r 512 /dev/\(disk) ee 00 00 00 00 00",
                ] {
                    _ = try await guest.run("sg_raw -t 5 \(arguments) 2>&1", timeout: .seconds(60))
                }
                // It is the same disk still, and works.
                try await guest.check(
                    """
                    set -e
                    head -c 4096 /dev/urandom >/tmp/block
                    dd if=/tmp/block of=/dev/\(disk) conv=fsync 2>/dev/null
                    echo 3 >/proc/sys/vm/drop_caches
                    head -c 4096 /dev/\(disk) | cmp - /tmp/block
                    """, timeout: .seconds(60))
                #expect(try await lab.device("drive").state == .plugged)
                try await lab.check("unplug", "drive")
            }
        }

        @Test func anEjectInTheGuestIsItsRemoval() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.workshop()
            let desk = """
                [[device]]
                name = "desk"
                interfaces = [
                  { kind = "serial", name = "tty", to = "unix:@/tty.sock" },
                  { kind = "storage", name = "rom", image = "@/tools.iso" },
                ]
                """
            try await LabEnvironment.use(vms: guests.source, devices: Self.drive("direct") + "\n" + desk) { lab in
                _ = try DiskImage(lab.directory + "/disk.img", mebibytes: 8)
                let rom = try DiskImage(lab.directory + "/tools.iso", mebibytes: 4)
                try await lab.startEngine()
                try await lab.check("plug", "drive", "workshop")
                var disk = try await guest.disk(of: "drive")
                var mark = guest.kernelLogMark
                try await guest.check("eject /dev/\(disk)")
                try await guest.waitForDisconnect(since: mark)
                try await eventually("the engine to know") { try await lab.device("drive").state == .unplugged }
                let device = try await lab.device("drive")
                #expect(device.by == "guest" && device.reason == "ejected by the guest")

                // A CD-ROM beside a serial port: the port stays.
                try await lab.check("plug", "desk", "workshop")
                disk = try await guest.disk(of: "desk")
                #expect(disk.hasPrefix("sr"))
                #expect(try await guest.sum("cat /dev/\(disk)") == (try await DiskImage.sum(of: rom.path)))
                mark = guest.kernelLogMark
                try await guest.check("eject /dev/\(disk)")
                try await guest.waitForKernelLog(containing: "ttyACM0: USB ACM device", since: mark)
                try await eventually("the rest of the desk") {
                    let desk = try await lab.device("desk")
                    return desk.guest == .configured && desk.interface("rom")?.gate == .off
                }
                #expect(try await lab.check("events").contains("switched off (ejected by the guest)"))

                // And again, when the operator wants it.
                try await lab.check("plug", "drive", "workshop")
                _ = try await guest.disk(of: "drive")
                try await lab.check("enable", "desk", "rom")
                _ = try await guest.disk(of: "desk")
            }
        }

        /// STORAGE_KILL_ROUNDS in the environment sets how often; each takes about ten seconds.
        @Test(.timeLimit(.minutes(30))) func aKilledEngineLosesNothingThatWasFlushed() async throws {
            let rounds = ProcessInfo.processInfo.environment["STORAGE_KILL_ROUNDS"].flatMap { Int($0) } ?? 3
            let guests = try LabGuests.here
            let guest = try await guests.workshop()
            try await LabEnvironment.use(vms: guests.source, devices: Self.drive("direct")) { lab in
                let image = try DiskImage(lab.directory + "/disk.img", mebibytes: 64)
                try await lab.startEngine()
                try await lab.check("plug", "drive", "workshop")
                var flushed = 0
                for round in 1...rounds {
                    let disk = try await guest.disk(of: "drive")
                    // What the round before has left must not be taken for this one's.
                    try await guest.check("rm -f /tmp/flushed")
                    // Records of 64 KiB, each flushed before it counts; ends when the disk is gone.
                    async let writing = guest.run(
                        """
                        exec 7<>/dev/\(disk)
                        : >/tmp/flushed
                        record=0
                        while [ $record -lt 1000 ]; do
                            yes "round \(round) record $record" | head -c 65536 >/tmp/record
                            dd if=/tmp/record bs=65536 conv=fsync 2>/dev/null >&7 || break
                            echo $record >>/tmp/flushed
                            record=$((record + 1))
                        done
                        """, timeout: .seconds(120))
                    try await eventually("the first record of round \(round)") {
                        try await guest.run("test -s /tmp/flushed").exitCode == 0
                    }
                    let mark = guest.kernelLogMark
                    try await Task.sleep(for: .milliseconds(Int.random(in: 0...1500)))
                    try await lab.killEngine()
                    try await guest.waitForDisconnect(since: mark)
                    _ = try await writing
                    let count = Int(try await guest.check("wc -l </tmp/flushed")) ?? 0
                    #expect(count > 0)
                    let bytes = try image.bytes()
                    for record in 0..<count {
                        let line = "round \(round) record \(record)\n"
                        let expected = Data(
                            String(repeating: line, count: 65536 / line.utf8.count + 1).utf8.prefix(65536))
                        let isThere = bytes[record * 65536..<(record + 1) * 65536] == expected
                        try #require(isThere, "round \(round): record \(record) of \(count) is lost")
                    }
                    try await lab.startEngine()
                    let again = try await guest.disk(of: "drive")
                    #expect(
                        try await guest.sum("dd if=/dev/\(again) bs=65536 count=\(count) 2>/dev/null")
                            == (try await DiskImage.sum(of: image.path, first: count * 65536)))
                    flushed += count
                }
                print("\(rounds) engines killed; all \(flushed) flushed records of 64 KiB were there")
                try await lab.check("unplug", "drive")
            }
        }
    }
}
