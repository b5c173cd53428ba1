/// How a service is called: read from its WSDL or OpenAPI document.
public protocol ServiceContract: Sendable {
    var description: ServiceDescription { get }
    /// The path of the service itself by its document, such as `/soap`; empty when the document names none.
    var path: String { get }

    /// The HTTP request that performs a call.
    func request(_ operation: String, _ arguments: [String: JSON]) throws(ContractError) -> ContractRequest

    /// What the service's answer to such a request says.
    func answer(to operation: String, _ answer: ContractAnswer) throws(ContractError) -> JSON
}

/// An HTTP request that performs a call.
public struct ContractRequest: Sendable, Equatable {
    public var method: String
    /// After the service's own path: empty, or path and query with a slash or question mark in front.
    public var target: String
    public var headers: [String: String]
    public var body: [UInt8]

    public init(method: String, target: String, headers: [String: String], body: [UInt8]) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
    }
}

/// An HTTP answer to a call.
public struct ContractAnswer: Sendable, Equatable {
    public var status: Int
    public var contentType: String
    public var body: [UInt8]

    public init(status: Int, contentType: String, body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    /// What people may be shown of a body that was not expected: its first line's worth of text.
    var excerpt: String {
        let text = String(decoding: body.prefix(400), as: UTF8.self)
        let line = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) }
        return String(line).split(separator: " ").joined(separator: " ")
    }
}

/// Reads the documents that services describe themselves with.
public enum ServiceDocument {
    /// Bytes of a document; the largest public ones have about one.
    public static let maximumBytes = 4 << 20

    /// - Throws: `ContractError` that says what the document lacks.
    public static func read(_ bytes: [UInt8]) throws(ContractError) -> any ServiceContract {
        guard bytes.count <= maximumBytes else { throw .tooLarge("\(bytes.count) bytes; at most \(maximumBytes)") }
        var start = bytes[...]
        if start.starts(with: [0xEF, 0xBB, 0xBF]) { start = start.dropFirst(3) }
        let first = start.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        switch first {
        case UInt8(ascii: "<"): return try WSDLReader.read(XMLTree.parse(Array(start)))
        case UInt8(ascii: "{"): return try OpenAPIReader.read(JSON(parsing: Array(start)))
        case nil: throw .badDocument("it is empty")
        default:
            let root = try YAMLReader.read(Array(start))
            // Any line of text is YAML.
            guard root.object != nil else {
                throw .badDocument("it is neither WSDL (XML) nor OpenAPI in JSON or YAML")
            }
            return try OpenAPIReader.read(root)
        }
    }
}
