import Testing
import USBCore

@testable import USBDevice

@Suite struct CompositionTests {
    private let identity = DeviceIdentity(product: "Desk", serialNumber: "S1")

    @Test func fifteenEndpointsADirectionFitAndOneMoreIsNamed() throws {
        let fitting = (1...15).map { TestFunction.pipe("f\($0)") }
        let device = try SimulatedDevice(identity: identity, functions: fitting)
        let endpoints = device.enumeration(at: .high).presentInterfaces.flatMap(\.endpoints).map(\.address)
        #expect(Set(endpoints).count == 30)
        #expect(throws: CompositionError.tooManyEndpoints(function: "last")) {
            _ = try SimulatedDevice(identity: identity, functions: fitting + [TestFunction.pipe("last")])
        }
    }

    @Test func aWishedNumberIsGivenWhileItIsFree() throws {
        func wishing(_ name: String) -> TestFunction {
            TestFunction(name) { _ in
                let vendor = ClassCode(0xFF, 0xFF, 0xFF)
                return FunctionDeclaration(
                    classCode: vendor,
                    interfaces: [
                        InterfaceDeclaration(
                            classCode: vendor,
                            endpoints: [
                                EndpointDeclaration("in", .in, .bulk, wishedNumber: 1),
                                EndpointDeclaration("out", .out, .bulk, wishedNumber: 2),
                            ])
                    ])
            }
        }
        let device = try SimulatedDevice(
            identity: identity, functions: [wishing("a"), TestFunction.pipe("b"), wishing("c")])
        let endpoints = device.enumeration(at: .high).presentInterfaces.flatMap(\.endpoints).map(\.address)
        #expect(endpoints.filter { $0.direction == .in }.map(\.number) == [1, 2, 3])
        #expect(endpoints.filter { $0.direction == .out }.map(\.number) == [2, 1, 3])
    }

    @Test func thirtyTwoInterfacesFit() throws {
        let fitting = (1...32).map { TestFunction.bare("f\($0)") }
        _ = try SimulatedDevice(identity: identity, functions: fitting)
        #expect(throws: CompositionError.tooManyInterfaces(function: "last")) {
            _ = try SimulatedDevice(identity: identity, functions: fitting + [TestFunction.bare("last")])
        }
    }

    @Test func namesDifferAndThereIsAtLeastOneFunction() {
        #expect(throws: CompositionError.duplicateName("a")) {
            _ = try SimulatedDevice(identity: identity, functions: [TestFunction.pipe("a"), TestFunction.bare("a")])
        }
        #expect(throws: CompositionError.noFunctions) {
            _ = try SimulatedDevice(identity: identity, functions: [])
        }
    }

    @Test func bulkRulesOutLowSpeed() throws {
        let mixed = try SimulatedDevice(
            identity: identity, functions: [TestFunction.pipe("a")], speeds: [.low, .full])
        #expect(mixed.speeds == [.full])
        #expect(throws: CompositionError.noPossibleSpeed(asked: [.low])) {
            _ = try SimulatedDevice(identity: identity, functions: [TestFunction.pipe("a")], speeds: [.low])
        }
        let bare = try SimulatedDevice(identity: identity, functions: [TestFunction.bare("a")], speeds: [.low])
        #expect(bare.enumeration(at: .low).device.maxPacketSize0 == 8)
    }

    @Test func whatFitsAtOneSpeedOnlyIsRefusedAtOnce() {
        let function = TestFunction("grows") { speed in
            FunctionDeclaration(
                classCode: ClassCode(0xFF, 0, 0),
                interfaces: [
                    InterfaceDeclaration(
                        classCode: ClassCode(0xFF, 0, 0),
                        endpoints: (0..<(speed == .super ? 16 : 1)).map {
                            EndpointDeclaration(EndpointKey("e\($0)"), .in, .bulk)
                        })
                ])
        }
        #expect(throws: CompositionError.tooManyEndpoints(function: "grows")) {
            _ = try SimulatedDevice(identity: identity, functions: [function])
        }
    }

    @Test func severalFunctionsMakeACompositeDevice() throws {
        let one = try SimulatedDevice(identity: identity, functions: [TestFunction.pipe("a")])
        #expect(one.enumeration(at: .high).device.deviceClass == 0)
        let two = try SimulatedDevice(identity: identity, functions: [TestFunction.pipe("a"), TestFunction.bare("b")])
        let device = two.enumeration(at: .high).device
        #expect([device.deviceClass, device.deviceSubClass, device.deviceProtocol] == [0xEF, 2, 1])
        let grouped = try SimulatedDevice(identity: identity, functions: [TestFunction.network("n")])
        #expect(grouped.enumeration(at: .high).device.deviceClass == 0xEF)
    }

    @Test func enumerationFollowsTheGuest() throws {
        let host = try TestHost([TestFunction.network("n")])
        #expect(host.device.enumeration(at: .high).currentConfiguration == 1)
        #expect(host.device.enumeration(at: .high).presentInterfaces.map(\.endpoints.count) == [1, 0])
        #expect(host.request(.out, .standard, .interface, 11, value: 1, index: 1).status == .success)
        #expect(host.device.enumeration(at: .high).presentInterfaces.map(\.endpoints.count) == [1, 2])
        host.port.busReset()
        #expect(host.device.enumeration(at: .high).currentConfiguration == 0)
        #expect(host.device.enumeration(at: .high).presentInterfaces.map(\.endpoints.count) == [1, 0])
    }

    @Test func classDescriptorsAreGivenTheFirstInterfaceNumber() throws {
        let function = TestFunction("acm") { _ in
            FunctionDeclaration(
                classCode: ClassCode(2, 2, 1),
                interfaces: [
                    InterfaceDeclaration(
                        classCode: ClassCode(2, 2, 1), classDescriptors: { [[5, 0x24, 6, $0, $0 + 1]] }, endpoints: []),
                    InterfaceDeclaration(classCode: ClassCode(10, 0, 0), endpoints: []),
                ])
        }
        let device = try SimulatedDevice(identity: identity, functions: [TestFunction.bare("first"), function])
        let interfaces = device.enumeration(at: .high).presentInterfaces
        #expect(interfaces[1].classDescriptors == [[5, 0x24, 6, 1, 2]])
    }

    @Test func shutdownUnplugsAndEndsEveryFunction() throws {
        let functions = [TestFunction.pipe("a"), TestFunction.bare("b")]
        let host = try TestHost(functions)
        host.device.shutdown()
        #expect(!host.port.isConnected)
        #expect(
            functions.map(\.log) == [["activate", "deactivate", "shutdown"], ["activate", "deactivate", "shutdown"]])
    }
}
