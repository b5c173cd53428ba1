import Testing

@testable import GuestClientKit

private func device(_ serial: String, bus: Int = 1, number: Int) -> USBDeviceRecord {
    let web = USBInterfaceRecord(
        number: 0, name: "web", classCode: 0xFF, subclassCode: 0x32, protocolCode: 0x56, driver: nil, endpoints: [])
    return USBDeviceRecord(
        name: "1-\(number)", bus: bus, device: number, vendor: 0x1234, product: 0x5678, speed: "480",
        manufacturerName: "", productName: "", serial: serial, interfaces: [web])
}

@Suite struct DeviceSelectorTests {
    @Test func onlyDeviceNeedsNoName() throws {
        #expect(try [device("desk", number: 4)].selected(by: nil).serial == "desk")
    }

    @Test(arguments: ["mux", "1-5", "001-005", "1:5"])
    func namesOneDevice(_ text: String) throws {
        let devices = [device("desk", number: 4), device("mux", number: 5)]
        #expect(try devices.selected(by: DeviceSelector(text)).serial == "mux")
    }

    @Test func unknownNameTellsWhatThereIs() {
        let devices = [device("desk", number: 4)]
        #expect(throws: GuestError.noSuchDevice("no 2Virt device 'disk'; there is: desk")) {
            try devices.selected(by: DeviceSelector("disk"))
        }
    }

    @Test func severalDevicesMustBeNamed() {
        let devices = [device("desk", number: 4), device("mux", number: 5)]
        #expect(throws: GuestError.failed("several 2Virt devices are plugged in; name one of: desk, mux")) {
            try devices.selected(by: nil)
        }
    }

    @Test func deviceWithSlashInItsSerialIsFoundWhole() throws {
        let sysfs = try SysfsFixture()
        sysfs.addDesk(serial: "rack/desk")
        let release = ReleaseRequest(tree: USBTree(root: sysfs.root))
        #expect(try release.find("rack/desk").scope == .device)
        guard case .interface(let web) = try release.find("rack/desk/web").scope else {
            Issue.record("the interface was not found")
            return
        }
        #expect(web.number == 0)
        #expect(throws: GuestError.self) { try release.find("rack/desk/nothing") }
    }
}
