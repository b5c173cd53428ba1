/// What a filter can ask of a row.
struct FilterFacts: Sendable {
    /// Everything a bare word is looked for in.
    var words: [String] = []
    /// Answers to `field:value`, by field.
    var fields: [FilterField: [String]] = [:]
    /// Answers to `rate>1k`, by quantity.
    var numbers: [FilterNumber: Double] = [:]
}

/// Fields of `field:value`.
enum FilterField: String, Sendable, CaseIterable {
    case state, vm, device, kind, `class`, vid, pid, by, speed, ep, type, status
}

/// Quantities of `quantity>number`.
enum FilterNumber: String, Sendable, CaseIterable {
    case rate, len, errors, cpu
}

/// A typed filter: `state:lost !kiosk rate>1k`; every term must hold.
struct Filter: Sendable, Equatable {
    enum Term: Sendable, Equatable {
        case word(String)
        case field(FilterField, String)
        case above(FilterNumber, Double)
        case below(FilterNumber, Double)
    }

    var text: String
    var terms: [(negated: Bool, term: Term)] { parsed.terms }
    /// What is wrong with the text, nil when nothing is. A wrong term is left out.
    var error: String? { parsed.error }
    private let parsed: Parsed

    private struct Parsed: Sendable {
        var terms: [(negated: Bool, term: Term)] = []
        var error: String?
    }

    init(_ text: String) {
        self.text = text
        var parsed = Parsed()
        for word in text.split(separator: " ") {
            let negated = word.first == "!"
            let body = negated ? word.dropFirst() : word
            guard !body.isEmpty else { continue }
            switch Self.term(String(body)) {
            case .success(let term): parsed.terms.append((negated, term))
            case .failure(let problem): parsed.error = parsed.error ?? problem.message
            }
        }
        self.parsed = parsed
    }

    static func == (left: Filter, right: Filter) -> Bool { left.text == right.text }

    var isEmpty: Bool { terms.isEmpty }

    func matches(_ facts: FilterFacts) -> Bool {
        terms.allSatisfy { Self.holds($0.term, facts) != $0.negated }
    }

    private static func holds(_ term: Term, _ facts: FilterFacts) -> Bool {
        switch term {
        case .word(let word): facts.words.contains { $0.lowercased().contains(word) }
        case .field(let field, let value): (facts.fields[field] ?? []).contains { $0.lowercased().contains(value) }
        case .above(let number, let limit): facts.numbers[number].map { $0 > limit } ?? false
        case .below(let number, let limit): facts.numbers[number].map { $0 < limit } ?? false
        }
    }

    private struct Problem: Error {
        var message: String
    }

    private static func term(_ text: String) -> Result<Term, Problem> {
        if let colon = text.firstIndex(of: ":") {
            let name = text[..<colon].lowercased()
            let value = text[text.index(after: colon)...].lowercased()
            guard let field = FilterField(rawValue: name) else {
                let known = FilterField.allCases.map(\.rawValue).joined(separator: " ")
                return .failure(Problem(message: "no field '\(name)': \(known)"))
            }
            return .success(.field(field, value))
        }
        if let sign = text.firstIndex(where: { $0 == ">" || $0 == "<" }) {
            let name = text[..<sign].lowercased()
            let value = String(text[text.index(after: sign)...])
            guard let number = FilterNumber(rawValue: name) else {
                let known = FilterNumber.allCases.map(\.rawValue).joined(separator: " ")
                return .failure(Problem(message: "no quantity '\(name)': \(known)"))
            }
            guard let limit = quantity(value) else {
                return .failure(Problem(message: "'\(value)' is no number: 500, 1k, 2.5M"))
            }
            return .success(text[sign] == ">" ? .above(number, limit) : .below(number, limit))
        }
        return .success(.word(text.lowercased()))
    }

    private static func quantity(_ text: String) -> Double? {
        let factors: [Character: Double] = ["k": 1024, "m": 1_048_576, "g": 1_073_741_824]
        let factor = text.lowercased().last.flatMap { factors[$0] }
        guard let value = Double(factor == nil ? text : String(text.dropLast())), value.isFinite else { return nil }
        return value * (factor ?? 1)
    }
}
