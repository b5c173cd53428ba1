import USBCore
import USBDevice

extension TrafficRecorder {
    static let deviceAssignment = Assignment(interface: nil, type: .control, classCode: nil)
    static let strayAssignment = Assignment(interface: nil, type: .bulk, classCode: nil)

    static var unassignedRoutes: [Route] {
        (0..<32).map { $0 % 16 == 0 ? Route(type: .control) : Route(assignment: 1, type: .bulk) }
    }

    /// From now on transfers of `endpoint` count for `interface`, too; nil: for the device only.
    ///
    /// Endpoint 0 always is the device's. Rows and counters of the past stay with whom they belonged to.
    public func assign(endpoint: EndpointAddress, interface: String?, type: TransferType, classCode: ClassCode?) {
        guard endpoint.number != 0 else { return }
        let position = interface.flatMap(interfacePosition(of:))
        let assignment = Assignment(
            interface: position.map { interfaces[$0].name }, type: type, classCode: classCode)
        routes[endpoint.index] = Route(
            interface: position.map { Int16($0) } ?? -1, assignment: intern(assignment), type: type)
    }

    /// From now on rows of requests to bInterfaceNumber `number` name `interface`; their bytes stay the device's.
    public func assign(interfaceNumber number: UInt8, interface: String?, classCode: ClassCode?) {
        let position = interface.flatMap(interfacePosition(of:))
        interfaceNumbers[Int(number)] = intern(
            Assignment(interface: position.map { interfaces[$0].name }, type: .control, classCode: classCode))
    }

    /// Forgets who owns which endpoint, before the device enumerates anew; counters and rows stay.
    public func unassignAll() {
        routes = Self.unassignedRoutes
        for number in interfaceNumbers.indices { interfaceNumbers[number] = 0 }
    }

    /// Replaces all assignments by those of an enumeration: all alternate settings, where they differ the one in force.
    ///
    /// - Parameter owner: the operator's name of the interface that a bInterfaceNumber belongs to.
    public func configure(_ enumeration: Enumeration, owner: (_ interfaceNumber: UInt8) -> String?) {
        unassignAll()
        let all = enumeration.presentConfiguration?.interfaces ?? []
        for interface in all + enumeration.presentInterfaces {
            let name = owner(interface.interfaceNumber)
            let classCode = ClassCode(
                interface.interfaceClass, interface.interfaceSubClass, interface.interfaceProtocol)
            assign(interfaceNumber: interface.interfaceNumber, interface: name, classCode: classCode)
            for endpoint in interface.endpoints {
                assign(endpoint: endpoint.address, interface: name, type: endpoint.type, classCode: classCode)
            }
        }
    }

    private func interfacePosition(of name: String) -> Int? {
        if let position = interfacePositions[name] { return position }
        guard interfaces.count < limits.interfaces else { return nil }
        interfaces.append(InterfaceTally(name: name))
        interfacePositions[name] = interfaces.count - 1
        return interfaces.count - 1
    }

    /// The position of an assignment; when too many were made, that of a stranger of the same kind.
    private func intern(_ assignment: Assignment) -> UInt16 {
        if let position = assignmentPositions[assignment] { return UInt16(position) }
        guard assignments.count < limits.assignments else { return assignment.type == .control ? 0 : 1 }
        assignments.append(assignment)
        assignmentPositions[assignment] = assignments.count - 1
        return UInt16(assignments.count - 1)
    }
}
