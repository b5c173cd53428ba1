/// A service as a device's directory lists it.
public struct ListedService: Sendable, Equatable {
    public var name: String
    /// `soap`, `rest`, `http` or `stream`.
    public var kind: String
    public var description: String
    /// nil: nobody looks.
    public var health: String?
    public var operations: Int?
    /// What is wrong with it, in words.
    public var trouble: String?
    /// `SERIAL/INTERFACE` of where it is to be had.
    public var place: String

    init?(_ json: JSONValue, place: String) {
        guard let name = json["name"]?.string, let kind = json["kind"]?.string else { return nil }
        self.name = SystemFile.printable(name.utf8)
        self.kind = SystemFile.printable(kind.utf8)
        description = SystemFile.printable((json["description"]?.string ?? "").utf8)
        health = json["health"]?.string.map { SystemFile.printable($0.utf8) }
        operations = json["operations"]?.integer
        trouble = (json["healthTrouble"]?.string ?? json["documentTrouble"]?.string).map {
            SystemFile.printable($0.utf8)
        }
        self.place = place
    }

    var json: JSONValue {
        var members: [(String, JSONValue)] = [
            ("name", .string(name)), ("kind", .string(kind)), ("description", .string(description)),
            ("place", .string(place)),
        ]
        if let health { members.append(("health", .string(health))) }
        if let operations { members.append(("operations", .number(operations))) }
        if let trouble { members.append(("trouble", .string(trouble))) }
        return .object(members)
    }

    /// One line of JSON, for a stream of changes.
    public func line(change: String) -> String {
        guard case .object(let members) = json else { return "" }
        return JSONValue.object([("change", .string(change))] + members).line
    }

    /// One line for people.
    public var text: String {
        let calls = operations.map { $0 == 1 ? ", 1 operation" : ", \($0) operations" } ?? ""
        let state = health == "down" ? ", down" : ""
        return "\(name) (\(kind)\(calls)\(state)) at \(place)" + (description.isEmpty ? "" : ": \(description)")
    }
}

/// The services of a guest as a table or as JSON.
public struct ServiceListing {
    public let services: [ListedService]

    public init(_ services: [ListedService]) {
        self.services = services.sorted { ($0.name, $0.place) < ($1.name, $1.place) }
    }

    public var json: String { JSONValue.array(services.map(\.json)).text() }

    public var text: String {
        let head = ["SERVICE", "KIND", "OPERATIONS", "HEALTH", "AT", "DESCRIPTION"]
        let rows =
            [head]
            + services.map {
                [
                    $0.name, $0.kind, $0.operations.map(String.init) ?? "", $0.health ?? "", $0.place,
                    $0.trouble ?? $0.description,
                ]
            }
        let widths = head.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell
                if column < row.count - 1 {
                    line += String(repeating: " ", count: widths[column] - cell.count + 2)
                }
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }
}
