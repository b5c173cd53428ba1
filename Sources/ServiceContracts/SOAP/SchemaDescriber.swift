/// Schema types in the words of a description.
struct SchemaDescriber {
    let schema: XSDSchema

    func field(_ element: XSDElement) -> ServiceField { field(element, depth: 0) }

    func fields(of type: XSDComplexType) -> [ServiceField] { fields(of: type, depth: 0) }

    private func fields(of type: XSDComplexType, depth: Int) -> [ServiceField] {
        schema.attributes(of: type).map { attribute in
            let type = simple(schema.resolve(.named(attribute.type)))
            return ServiceField(
                name: attribute.name, type: type.typeName, isRequired: attribute.isRequired,
                values: type.values.isEmpty ? nil : type.values)
        } + schema.fields(of: type).map { field($0, depth: depth) }
    }

    private func simple(_ resolved: XSDSchema.Resolved) -> XSDSimpleType {
        if case .simple(let type) = resolved { type } else { XSDSimpleType(base: "string") }
    }

    private func field(_ element: XSDElement, depth: Int) -> ServiceField {
        let element = schema.target(of: element)
        var result = ServiceField(
            name: element.name.local, type: "object", isRequired: element.minimum > 0 && !element.isNillable,
            isRepeated: element.isRepeated, description: element.documentation.isEmpty ? nil : element.documentation)
        switch schema.resolve(element.type) {
        case .simple(let type):
            result.type = type.typeName
            result.values = type.values.isEmpty ? nil : type.values
            result.isRepeated = result.isRepeated || type.isList
        case .complex(let type):
            if type.text != nil, schema.fields(of: type).isEmpty, schema.attributes(of: type).isEmpty {
                result.type = "string"
            } else if depth < ServiceField.maximumDepth {
                result.fields = fields(of: type, depth: depth + 1)
            }
        }
        return result
    }
}
