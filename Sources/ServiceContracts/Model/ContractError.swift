/// What is wrong with a service's document, with a call, or with what the service answered.
public enum ContractError: Error, Sendable, Equatable, CustomStringConvertible {
    case badJSON(String)
    case badXML(String)
    case badYAML(String)
    /// Larger or deeper than any honest document.
    case tooLarge(String)
    /// Not a WSDL 1.1 or OpenAPI document, or one without anything to call.
    case badDocument(String)
    case noSuchOperation(String, known: [String])
    case badArgument(String, reason: String)
    /// The service refused the call in its own protocol: a SOAP fault.
    case fault(code: String, message: String, detail: String)
    /// The service answered with an HTTP status that is no success.
    case refused(status: Int, body: String)
    /// The service's answer does not fit its document.
    case badAnswer(String)

    public var description: String {
        switch self {
        case .badJSON(let reason): "it is not JSON: \(reason)"
        case .badXML(let reason): "it is not XML: \(reason)"
        case .badYAML(let reason): "it is not YAML: \(reason)"
        case .tooLarge(let what): "it is too large: \(what)"
        case .badDocument(let reason): reason
        case .noSuchOperation(let name, let known):
            "no operation '\(name)'; there are: \(known.sorted().joined(separator: ", "))"
        case .badArgument(let name, let reason): "argument '\(name)': \(reason)"
        case .fault(let code, let message, let detail):
            "the service answered with the fault \(code): \(message)" + (detail.isEmpty ? "" : " (\(detail))")
        case .refused(let status, let body):
            "the service answered with the status \(status)" + (body.isEmpty ? "" : ": \(body)")
        case .badAnswer(let reason): "the service's answer cannot be understood: \(reason)"
        }
    }
}
