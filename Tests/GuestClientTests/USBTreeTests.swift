import Glibc
import Testing

@testable import GuestClientKit

/// A folder that looks like /sys/bus/usb/devices; removed with the value.
final class SysfsFixture {
    let root: String

    init() throws {
        var template = Array("/tmp/2virt-sysfs-XXXXXX".utf8CString)
        let path = try #require(mkdtemp(&template))
        root = String(cString: path)
    }

    deinit { Self.remove(root) }

    func add(_ name: String, _ files: [String: [UInt8]], driver: String? = nil) {
        let folder = "\(root)/\(name)"
        mkdir(folder, 0o755)
        for (file, content) in files {
            if let slash = file.firstIndex(of: "/") { mkdir("\(folder)/\(file[..<slash])", 0o755) }
            let descriptor = open("\(folder)/\(file)", O_CREAT | O_WRONLY, 0o644)
            _ = write(descriptor, content, content.count)
            close(descriptor)
        }
        if let driver { symlink("../../../../bus/usb/drivers/\(driver)", "\(folder)/driver") }
    }

    func add(_ name: String, _ files: [String: String], driver: String? = nil) {
        add(name, files.mapValues { Array(($0 + "\n").utf8) }, driver: driver)
    }

    /// A 2Virt device with one Web Service interface, as Linux 6.1 lists it.
    func addDesk(name: String = "1-2", serial: String = "desk", driver: String? = nil) {
        add(
            name,
            [
                "busnum": "1", "devnum": "2", "idVendor": "02a0", "idProduct": "a123", "speed": "480",
                "manufacturer": "2Virt", "product": "desk", "serial": serial,
            ])
        add(
            "\(name):1.0",
            [
                "bInterfaceNumber": "00", "bInterfaceClass": "ff", "bInterfaceSubClass": "32",
                "bInterfaceProtocol": "56", "interface": "web",
                "ep_81/bEndpointAddress": "81", "ep_81/bmAttributes": "02", "ep_81/wMaxPacketSize": "0200",
                "ep_02/bEndpointAddress": "02", "ep_02/bmAttributes": "02", "ep_02/wMaxPacketSize": "0200",
                "ep_83/bEndpointAddress": "83", "ep_83/bmAttributes": "03", "ep_83/wMaxPacketSize": "0008",
            ], driver: driver)
    }

    private static func remove(_ path: String) {
        for name in SystemFile.entries(path) ?? [] { remove("\(path)/\(name)") }
        if unlink(path) != 0 { rmdir(path) }
    }
}

@Suite struct USBTreeTests {
    @Test func readsDeviceInterfacesEndpointsAndDriver() throws {
        let sysfs = try SysfsFixture()
        sysfs.addDesk(driver: "usbfs")
        sysfs.add("usb1", ["busnum": "1", "devnum": "1", "idVendor": "1d6b", "idProduct": "0002"])
        let devices = try USBTree(root: sysfs.root).devices()
        #expect(devices.map(\.name) == ["usb1", "1-2"])
        let desk = try #require(devices.last)
        #expect(desk.is2Virt && !devices[0].is2Virt)
        #expect(desk.nodePath() == "/dev/bus/usb/001/002")
        #expect(desk.vendor == 0x02A0 && desk.product == 0xA123 && desk.serial == "desk" && desk.speed == "480")
        let web = try #require(desk.interfaces.first)
        #expect(web.isWebService && web.name == "web" && web.driver == "usbfs")
        #expect(web.bulkIn?.address == 0x81 && web.bulkOut?.address == 0x02)
        #expect(web.bulkOut?.maximumPacketSize == 512)
    }

    @Test func deviceThatVanishesHalfReadIsLeftOut() throws {
        let sysfs = try SysfsFixture()
        sysfs.add("1-3", ["busnum": "1", "devnum": "3"])
        #expect(try USBTree(root: sysfs.root).devices().isEmpty)
    }

    @Test(arguments: ["", "zz", "-1", "99999999999999999999", "02a0 ; rm", "\u{0}"])
    func nonsenseNumbersAreNoDevice(_ text: String) throws {
        let sysfs = try SysfsFixture()
        sysfs.addDesk()
        sysfs.add("1-9", ["busnum": "1", "devnum": "9", "idVendor": text, "idProduct": "a123"])
        #expect(try USBTree(root: sysfs.root).devices().map(\.name) == ["1-2"])
    }

    @Test func hostileStringsAreBoundedAndPrintable() throws {
        let sysfs = try SysfsFixture()
        sysfs.addDesk()
        let huge = [UInt8](repeating: 0x41, count: 3_000_000)
        sysfs.add(
            "1-4",
            [
                "busnum": Array("1\n".utf8), "devnum": Array("4\n".utf8), "idVendor": Array("02a0\n".utf8),
                "idProduct": Array("a123\n".utf8), "manufacturer": huge,
                "product": Array("\u{1B}]0;owned\u{07}\u{9B}2J".utf8), "serial": [0xFF, 0xFE, 0xC0, 0x80, 0x0A, 0x41],
            ])
        let device = try #require(try USBTree(root: sysfs.root).devices().last)
        #expect(device.manufacturerName.count == 255)
        for text in [device.productName, device.serial] {
            #expect(!text.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) })
        }
        #expect(DeviceListing([device]).json.contains("\\u") == false)
    }

    @Test func missingFolderNamesItself() {
        #expect {
            try USBTree(root: "/nonexistent/usb").devices()
        } throws: { error in
            guard case GuestError.noSuchDevice(let text) = error else { return false }
            return text.contains("/nonexistent/usb")
        }
    }
}
