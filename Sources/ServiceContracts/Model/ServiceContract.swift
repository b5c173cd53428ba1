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

    /// A document of its own, or one that may need others.
    public enum Opened: Sendable {
        case whole(any ServiceContract)
        case wsdl(WSDLDocuments)
    }

    /// Reads a document alone: what it imports is left out.
    ///
    /// - Throws: `ContractError` that says what the document lacks.
    public static func read(_ bytes: [UInt8]) throws(ContractError) -> any ServiceContract {
        switch try open(bytes, at: "") {
        case .whole(let contract): return contract
        case .wsdl(var documents): return try documents.contract()
        }
    }

    /// - Parameter location: the document's own URL.
    /// - Throws: `ContractError` that says what the document lacks.
    public static func open(_ bytes: [UInt8], at location: String) throws(ContractError) -> Opened {
        guard bytes.count <= maximumBytes else { throw .tooLarge("\(bytes.count) bytes; at most \(maximumBytes)") }
        let bytes = withoutMark(bytes)
        let first = bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        switch first {
        case UInt8(ascii: "<"): return .wsdl(try WSDLDocuments(.parse(bytes), bytes: bytes.count, at: location))
        case UInt8(ascii: "{"): return .whole(try OpenAPIReader.read(JSON(parsing: bytes)))
        case nil: throw .badDocument("it is empty")
        default:
            let root = try YAMLReader.read(bytes)
            // Any line of text is YAML.
            guard root.object != nil else {
                throw .badDocument("it is neither WSDL (XML) nor OpenAPI in JSON or YAML")
            }
            return .whole(try OpenAPIReader.read(root))
        }
    }

    /// The byte order mark that editors put before UTF-8.
    static func withoutMark(_ bytes: [UInt8]) -> [UInt8] {
        bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    }
}
