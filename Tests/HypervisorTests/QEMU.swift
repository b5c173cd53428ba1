import Foundation

@testable import Hypervisor

/// A real QEMU without a kernel, ended at the latest with this value.
final class QEMU: @unchecked Sendable {
    let process = Process()
    let socket: String
    var pid: Int32 { process.processIdentifier }

    static let program = "/usr/bin/qemu-system-x86_64"

    /// Every controller family, one without an id, EHCI with companions, a tablet in xHCI port 1.
    static let controllers = [
        "qemu-xhci,id=xhci,p2=3,p3=2", "usb-ehci,id=ehci",
        "ich9-usb-ehci1,id=ich9,addr=1d.7,multifunction=on",
        "ich9-usb-uhci1,masterbus=ich9.0,firstport=0,addr=1d.0,multifunction=on",
        "ich9-usb-uhci2,masterbus=ich9.0,firstport=2,addr=1d.1",
        "piix3-usb-uhci", "pci-ohci,id=ohci,num-ports=4", "usb-tablet,bus=xhci.0",
    ]

    init(socket: String, devices: [String] = ["qemu-xhci,id=xhci"], extra: [String] = []) throws {
        self.socket = socket
        process.executableURL = URL(fileURLWithPath: Self.program)
        process.arguments =
            [
                "-machine", "pc", "-accel", "tcg", "-nodefaults", "-no-user-config", "-display", "none", "-m", "32",
                "-name", "guest=hyp-test", "-qmp", "unix:\(socket),server=on,wait=off",
            ] + devices.flatMap { ["-device", $0] } + extra
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
    }

    func kill(_ signal: Int32 = SIGKILL) { Foundation.kill(pid, signal) }

    deinit {
        if process.isRunning { kill() }
        process.waitUntilExit()
    }
}
