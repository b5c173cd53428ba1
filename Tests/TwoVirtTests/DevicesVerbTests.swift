import ControlProtocol
import Testing

@testable import TwoVirt

@Suite struct DevicesVerbTests {
    static let listener = ListenerSnapshot(address: "127.0.0.1:3240", allow: ["127.0.0.0/8", "10.0.0.0/8"])

    static func device(_ state: PlugState, importer: ImporterSnapshot? = nil, exported: Bool = true) -> DeviceSnapshot {
        DeviceSnapshot(
            name: "desk", idVendor: 1, idProduct: 2, product: "Desk", serialNumber: "1", firmware: .simulated,
            state: state,
            export: exported ? ExportSnapshot(busID: "1-3", listeners: [listener], importer: importer) : nil)
    }

    @Test func aDeviceOnOfferIsExported() {
        #expect(DevicesVerb.state(of: Self.device(.unplugged)) == "exported")
        #expect(DevicesVerb.state(of: Self.device(.unplugged, exported: false)) == "unplugged")
        #expect(DevicesVerb.state(of: Self.device(.imported)) == "imported")
        #expect(DevicesVerb.state(of: Self.device(.plugged)) == "plugged")
    }

    @Test func theHolderIsShownWithItsRoundTripTime() {
        let importer = ImporterSnapshot(peer: "10.0.0.5:41234", since: 1_771_038_764, roundTrip: 0.000_31)
        let text = DevicesVerb.holder(of: Self.device(.imported, importer: importer))
        #expect(text == "10.0.0.5:41234 since \(Moment.absolute(1_771_038_764)), 0.31 ms")
        #expect(DevicesVerb.holder(of: Self.device(.unplugged)).isEmpty)
    }

    @Test func listenersAndLimitsAreShown() {
        let exporter = ExporterSnapshot(
            listeners: [
                Self.listener, ListenerSnapshot(address: "unix:/run/usbip.sock"),
                ListenerSnapshot(address: "0.0.0.0:3241", allow: ["10.0.0.0/8"], tls: true, trouble: "in use"),
            ], connections: 2, maximumConnections: 256, imports: 1, maximumImports: 64, refusals: 2,
            watchers: [WatcherSnapshot(guest: "web-02", peer: "10.0.0.5:4", since: 1_771_038_764)])
        #expect(
            DevicesVerb.lines(of: exporter) == [
                "",
                "LISTENER              ALLOWED                  TLS                  TROUBLE",
                "127.0.0.1:3240        127.0.0.0/8, 10.0.0.0/8  no                   -",
                "unix:/run/usbip.sock  file mode 0600           no                   -",
                "0.0.0.0:3241          10.0.0.0/8               client certificates  in use",
                "2 of at most 256 connections, 1 of at most 64 imports, 2 refused so far",
                "",
                "WATCHING  FROM        SINCE",
                "web-02    10.0.0.5:4  \(Moment.absolute(1_771_038_764))",
            ])
    }
}
