/// The types and elements of a WSDL's schemas (XML Schema 1.0), as far as messages need them.
struct XSDSchema: Sendable {
    static let namespace = "http://www.w3.org/2001/XMLSchema"
    static let instanceNamespace = "http://www.w3.org/2001/XMLSchema-instance"

    var elements: [QName: XSDElement] = [:]
    var complexTypes: [QName: XSDComplexType] = [:]
    var simpleTypes: [QName: XSDSimpleType] = [:]
    /// Global groups and attribute groups are resolved while reading.
    var groups: [QName: [XSDElement]] = [:]

    /// What a type comes to in the end.
    enum Resolved {
        case simple(XSDSimpleType)
        case complex(XSDComplexType)
    }

    func resolve(_ type: XSDTypeReference) -> Resolved {
        switch type {
        case .complex(let type): return .complex(type)
        case .simple(let type): return .simple(type)
        case .named(let name):
            if name.namespace == Self.namespace { return .simple(XSDSimpleType(base: name.local)) }
            if let type = complexTypes[name] { return .complex(type) }
            if let type = simpleTypes[name] { return .simple(flattened(type)) }
            // A type of a schema that is not there: whatever it is, text is all that can be said of it.
            return .simple(XSDSimpleType(base: "anyType"))
        }
    }

    /// A restriction of a restriction takes its base from the end of the chain.
    private func flattened(_ type: XSDSimpleType) -> XSDSimpleType {
        var result = type
        var seen: Set<QName> = []
        while let name = result.baseName, name.namespace != Self.namespace, seen.insert(name).inserted,
            let next = simpleTypes[name]
        {
            if result.values.isEmpty { result.values = next.values }
            result.isList = result.isList || next.isList
            result.baseName = next.baseName
            result.base = next.base
        }
        return result
    }

    /// The elements of a type, those of what it extends first.
    func fields(of type: XSDComplexType) -> [XSDElement] {
        var chain = [type]
        var seen: Set<QName> = []
        while let base = chain.last?.base, seen.insert(base).inserted, let next = complexTypes[base] {
            chain.append(next)
        }
        return chain.reversed().flatMap(\.elements)
    }

    func attributes(of type: XSDComplexType) -> [XSDAttribute] {
        var chain = [type]
        var seen: Set<QName> = []
        while let base = chain.last?.base, seen.insert(base).inserted, let next = complexTypes[base] {
            chain.append(next)
        }
        return chain.reversed().flatMap(\.attributes)
    }

    /// A reference to a global element has that one's type.
    func target(of element: XSDElement) -> XSDElement {
        guard let reference = element.reference, let target = elements[reference] else { return element }
        var result = target
        result.minimum = element.minimum
        result.isRepeated = element.isRepeated
        return result
    }
}

/// Where an element's type is found.
indirect enum XSDTypeReference: Sendable {
    case named(QName)
    case complex(XSDComplexType)
    case simple(XSDSimpleType)
}

/// An element declaration or reference.
struct XSDElement: Sendable {
    /// The namespace is empty for a local element that is not qualified.
    var name: QName
    var type: XSDTypeReference
    var reference: QName?
    var minimum = 1
    var isRepeated = false
    var isNillable = false
    var documentation = ""
}

/// A complex type: elements in order, attributes, and what it extends.
struct XSDComplexType: Sendable {
    var elements: [XSDElement] = []
    var attributes: [XSDAttribute] = []
    var base: QName?
    /// Of simple content: the type of the text.
    var text: QName?
    /// `xs:any` stands in it: whatever comes is taken.
    var isOpen = false
}

struct XSDAttribute: Sendable {
    var name: String
    var type: QName
    var isRequired: Bool
}

/// A simple type by what it restricts.
struct XSDSimpleType: Sendable {
    /// Local name of the built-in type.
    var base: String
    var baseName: QName?
    var values: [String] = []
    var isList = false

    init(base: String, baseName: QName? = nil, values: [String] = [], isList: Bool = false) {
        self.base = base
        self.baseName = baseName
        self.values = values
        self.isList = isList
    }

    enum Kind { case string, integer, number, boolean }

    var kind: Kind {
        switch base {
        case "boolean": .boolean
        case "decimal", "float", "double": .number
        case "integer", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger", "nonPositiveInteger",
            "negativeInteger", "unsignedInt", "unsignedLong", "unsignedShort", "unsignedByte":
            .integer
        default: .string
        }
    }

    /// The word of a description.
    var typeName: String {
        switch kind {
        case .boolean: "boolean"
        case .number: "number"
        case .integer: "integer"
        case .string: ["anyType", "anySimpleType", "normalizedString", "token"].contains(base) ? "string" : base
        }
    }
}
