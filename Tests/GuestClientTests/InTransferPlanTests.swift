import Testing

@testable import GuestClientKit

@Suite struct InTransferPlanTests {
    @Test(arguments: [
        ("xhci_hcd", 4), ("xhci-pci-renesas", 4), ("vhci_hcd", 4), ("ehci-pci", 1), ("uhci_hcd", 1), ("ohci-pci", 1),
    ])
    func onlyControllersThatGoOnAfterAShortTransferPipeline(_ driver: String, _ count: Int) {
        #expect(InTransferPlan(controller: driver, preferredSize: 65536).count == count)
    }

    @Test func unknownControllerIsTreatedWithCare() {
        #expect(
            InTransferPlan(controller: nil, preferredSize: 16384)
                == InTransferPlan(controller: "x", preferredSize: 16384))
        #expect(InTransferPlan(controller: nil, preferredSize: 16384).count == 1)
    }
}
