import Testing

@testable import GuestClientKit

@Suite struct DeviceListingTests {
    @Test func textAndJSON() throws {
        let sysfs = try SysfsFixture()
        sysfs.addDesk()
        let listing = DeviceListing(try USBTree(root: sysfs.root).devices())
        #expect(
            listing.text == """
                desk  bus 1 device 2  /dev/bus/usb/001/002  02a0:a123  480 Mb/s  2Virt desk
                  0  web  ff/32/56 web-service  free
                """)
        #expect(
            listing.json == """
                [
                  {
                    "name": "desk",
                    "bus": 1,
                    "device": 2,
                    "path": "/dev/bus/usb/001/002",
                    "sysfs": "1-2",
                    "vendor": "02a0",
                    "productID": "a123",
                    "speed": "480",
                    "manufacturer": "2Virt",
                    "product": "desk",
                    "serial": "desk",
                    "interfaces": [
                      {
                        "number": 0,
                        "name": "web",
                        "class": "ff/32/56",
                        "webService": true,
                        "driver": null
                      }
                    ]
                  }
                ]
                """)
    }

    @Test func jsonEscapesWhatItMust() {
        #expect(JSONValue.string("a\"b\\c\u{1}\nü").text() == #""a\"b\\c\u0001\u000aü""#)
        #expect(DeviceListing([]).json == "[]")
    }
}
