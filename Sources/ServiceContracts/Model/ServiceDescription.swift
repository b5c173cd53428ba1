/// What a service offers, however it speaks: the one description that guests get.
public struct ServiceDescription: Sendable, Equatable, Codable {
    public enum Style: String, Sendable, Codable { case soap, rest }

    public var style: Style
    public var description: String
    /// In the document's order.
    public var operations: [ServiceOperation]

    public init(style: Style, description: String, operations: [ServiceOperation]) {
        self.style = style
        self.description = description
        self.operations = operations
    }
}

/// One operation, called by its name with named arguments.
public struct ServiceOperation: Sendable, Equatable, Codable {
    public var name: String
    public var description: String
    public var input: [ServiceField]
    public var output: [ServiceField]

    public init(name: String, description: String, input: [ServiceField], output: [ServiceField]) {
        self.name = name
        self.description = description
        self.input = input
        self.output = output
    }
}

/// An argument, or a part of an answer.
public struct ServiceField: Sendable, Equatable, Codable {
    public var name: String
    /// `string`, `integer`, `number`, `boolean`, `object`, or the document's own word for a kind of text (`dateTime`).
    public var type: String
    public var isRequired: Bool
    public var isRepeated: Bool
    public var description: String?
    /// The values that it may take, when they are listed.
    public var values: [String]?
    /// Parts of an `object`; nil where they are too deep or repeat what encloses them.
    public var fields: [ServiceField]?

    public init(
        name: String, type: String, isRequired: Bool, isRepeated: Bool = false, description: String? = nil,
        values: [String]? = nil, fields: [ServiceField]? = nil
    ) {
        self.name = name
        self.type = type
        self.isRequired = isRequired
        self.isRepeated = isRepeated
        self.description = description
        self.values = values
        self.fields = fields
    }

    /// Objects within objects that a description shows.
    static let maximumDepth = 6
}
