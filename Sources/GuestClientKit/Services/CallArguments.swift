/// Arguments of a call as a command line writes them.
///
/// `name=value`; `name:=JSON`; `name.part=value` for a part of an object; a name that comes again makes a list.
public struct CallArguments: Sendable {
    private indirect enum Node {
        case value(JSONValue)
        case list([JSONValue])
        case object([(String, Node)])
    }

    /// Why a word is no argument.
    public struct Mistake: Error, Equatable, CustomStringConvertible {
        public var description: String
    }

    private static let maximumDepth = 32
    private let root: Node

    public init(_ words: [String]) throws(Mistake) {
        var root = Node.object([])
        for word in words {
            guard let equals = word.firstIndex(of: "="), equals != word.startIndex else {
                throw Mistake(description: "'\(word)' is not NAME=VALUE")
            }
            var name = word[..<equals]
            let text = String(word[word.index(after: equals)...])
            let value: JSONValue
            if name.hasSuffix(":") {
                name = name.dropLast()
                do {
                    _ = try JSONValue(parsing: Array(text.utf8))
                } catch {
                    throw Mistake(description: "'\(word)': byte \(error.offset) of what follows := is not JSON")
                }
                value = .raw(text)
            } else {
                value = .string(text)
            }
            let path = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            guard !path.contains(""), path.count <= Self.maximumDepth else {
                throw Mistake(description: "'\(word)': '\(name)' is not a name, nor names joined by '.'")
            }
            root = try Self.insert(value, at: path[...], into: root, word)
        }
        self.root = root
    }

    private static func insert(
        _ value: JSONValue, at path: ArraySlice<String>, into node: Node?, _ word: String
    ) throws(Mistake) -> Node {
        guard let name = path.first else {
            switch node {
            case nil: return .value(value)
            case .value(let first)?: return .list([first, value])
            case .list(let items)?: return .list(items + [value])
            case .object?: throw Mistake(description: "'\(word)': this name has parts already")
            }
        }
        var members: [(String, Node)] = []
        switch node {
        case nil: break
        case .object(let found)?: members = found
        case .value?, .list?: throw Mistake(description: "'\(word)': what is before its last '.' has a value already")
        }
        let index = members.firstIndex { $0.0 == name }
        let inner = try insert(value, at: path.dropFirst(), into: index.map { members[$0].1 }, word)
        if let index { members[index].1 = inner } else { members.append((name, inner)) }
        return .object(members)
    }

    /// The arguments as one JSON object.
    public var json: [UInt8] { Array(Self.value(root).line.utf8) }

    private static func value(_ node: Node) -> JSONValue {
        switch node {
        case .value(let value): value
        case .list(let items): .array(items)
        case .object(let members): .object(members.map { ($0.0, value($0.1)) })
        }
    }
}
