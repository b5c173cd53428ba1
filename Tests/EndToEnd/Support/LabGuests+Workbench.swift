import FirmwareTestKit
import Foundation
import GuestLab

extension LabGuests {
    /// A guest without a network card, with the tools that firmware's devices are used with.
    func workbench() async throws -> Guest {
        try await guest("workbench") { guests in
            GuestConfiguration(
                name: "workbench",
                image: try await GuestImageBuilder().build(
                    GuestContents(packages: [
                        "libc-bin", "python3", "python3-usb", "python3-termcolor", "alsa-utils", "dfu-util",
                    ])),
                memoryMiB: 768, qmpDirectory: guests.qmpDirectory,
                extraFiles: [
                    GuestFile(path: "/root/usbmuxctl.whl", contents: .hostFile(try FirmwareBuilder.usbMuxWheel())),
                    GuestFile(
                        path: "/root/application.bin",
                        contents: .bytes(Data(try FirmwareBuilder.cdcBinary(start: Self.applicationStart)))),
                ])
        }
    }

    /// Where `dfu.c` keeps its application.
    static let applicationStart: UInt32 = 0x0800_2000
}
