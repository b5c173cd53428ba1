import Glibc
import Testing

@testable import GuestClientKit

@Suite struct GuestErrorTests {
    private static let statuses: [(code: Int32, status: Int32)] = [
        (EACCES, 5), (EPERM, 5), (EBUSY, 4), (ENOENT, 3), (ENODEV, 3), (EIO, 1), (9999, 1),
    ]

    @Test(arguments: statuses)
    func scriptsCanTellFailuresApart(_ code: Int32, _ status: Int32) {
        #expect(GuestError.systemCall(code, "/dev/bus/usb/001/002").exitStatus == status)
    }

    @Test func permissionNamesTheRule() {
        #expect(GuestError.systemCall(EACCES, "/dev/x").description.contains("udev-rule"))
        #expect(UdevRule.text.contains("ff3256"))
    }
}
