import CLibYAML

/// The events of a YAML stream, one at a time, as libyaml finds them: nothing is built before somebody wants it.
final class YAMLEvents {
    enum Event {
        case documentStart
        case documentEnd
        case scalar(String, anchor: String?, isPlain: Bool, tag: String?)
        case sequenceStart(anchor: String?)
        case mappingStart(anchor: String?)
        case end
        case alias(String)
        case streamEnd
    }

    private let parser: UnsafeMutablePointer<yaml_parser_t>
    /// Where the event that came last begins, from 1.
    private(set) var line = 1

    /// - Parameter bytes: must outlive the object.
    init(_ bytes: UnsafeBufferPointer<UInt8>) throws(ContractError) {
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        guard yaml_parser_initialize(parser) == 1 else {
            parser.deallocate()
            throw .badYAML("there is no memory to read it")
        }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    func next() throws(ContractError) -> Event {
        while true {
            var event = yaml_event_t()
            guard yaml_parser_parse(parser, &event) == 1 else { throw problem }
            defer { yaml_event_delete(&event) }
            line = Int(clamping: event.start_mark.line) + 1
            switch event.type {
            case YAML_DOCUMENT_START_EVENT: return .documentStart
            case YAML_DOCUMENT_END_EVENT: return .documentEnd
            case YAML_STREAM_END_EVENT: return .streamEnd
            case YAML_ALIAS_EVENT: return .alias(Self.text(event.data.alias.anchor) ?? "")
            case YAML_SCALAR_EVENT:
                let scalar = event.data.scalar
                let text = UnsafeBufferPointer(start: scalar.value, count: scalar.value == nil ? 0 : scalar.length)
                return .scalar(
                    String(decoding: text, as: UTF8.self), anchor: Self.text(scalar.anchor),
                    isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE, tag: Self.text(scalar.tag))
            case YAML_SEQUENCE_START_EVENT:
                return .sequenceStart(anchor: Self.text(event.data.sequence_start.anchor))
            case YAML_MAPPING_START_EVENT:
                return .mappingStart(anchor: Self.text(event.data.mapping_start.anchor))
            case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: return .end
            // The stream's start, which says nothing.
            default: continue
            }
        }
    }

    private var problem: ContractError {
        let mark = parser.pointee.problem_mark
        let reason = parser.pointee.problem.map { String(cString: $0) } ?? "it makes no sense"
        return .badYAML("\(reason) (line \(mark.line &+ 1), column \(mark.column &+ 1))")
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        pointer.map { String(cString: UnsafePointer($0)) }
    }
}
