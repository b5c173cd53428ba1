import TOMLKit

/// Typed values out of tables, each with its mistake.
extension ConfigurationReader {
    /// Mistakes that are told; a file with more is no configuration.
    static let maximumProblems = 100

    static let nameRule = "1 to 64 of letters, digits, '.', '_' and '-'"

    static func isName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                ($0 >= 48 && $0 <= 57) || ($0 >= 65 && $0 <= 90) || ($0 >= 97 && $0 <= 122)
                    || [45, 46, 95].contains($0)
            } && name != "." && name != ".."
    }

    mutating func identifier(_ entry: TOMLTable, _ key: String, at path: String) -> UInt16? {
        guard let value = entry[key] else { return nil }
        if let number = value.int, let id = UInt16(exactly: number) { return id }
        problem("\(path).\(key)", "is \(Self.describe(value))", "a number from 0 to 0xFFFF")
        return nil
    }

    mutating func requiredPath(_ entry: TOMLTable, at path: String, _ allowed: String) -> String? {
        required(
            string(entry, "path", at: path, allowed: allowed), "\(path).path", allowed, isPresent: entry["path"] != nil)
    }

    mutating func required(
        _ value: String?, _ path: String, _ allowed: String, isPresent: Bool = false
    ) -> String? {
        if value == nil, !isPresent, !problems.contains(where: { $0.key == path }) {
            problem(path, "is missing", allowed)
        }
        return value
    }

    mutating func string(_ table: TOMLTable, _ key: String, at path: String, allowed: String) -> String? {
        guard let value = table[key] else { return nil }
        if let string = value.string, !string.isEmpty { return string }
        problem(path.isEmpty ? key : "\(path).\(key)", "is \(Self.describe(value))", allowed)
        return nil
    }

    mutating func strings(_ table: TOMLTable, _ key: String, at path: String, allowed: String) -> [String]? {
        guard let value = table[key] else { return nil }
        let place = "\(path).\(key)"
        guard let array = value.array else {
            problem(place, "is \(Self.describe(value))", allowed)
            return nil
        }
        var result: [String] = []
        for index in 0..<array.count {
            if let string = array[index].string {
                result.append(string)
            } else {
                problem("\(place)[\(index)]", "is \(Self.describe(array[index]))", allowed)
            }
        }
        return result
    }

    mutating func integer(_ table: TOMLTable, _ key: String, at path: String, allowed: String) -> Int? {
        guard let value = table[key] else { return nil }
        if let number = value.int { return number }
        problem("\(path).\(key)", "is \(Self.describe(value))", allowed)
        return nil
    }

    mutating func table(_ value: (any TOMLValueConvertible)?, at path: String) -> TOMLTable? {
        guard let value else { return nil }
        if let table = value.table { return table }
        problem(path, "is \(Self.describe(value))", "a table: [\(path)]")
        return nil
    }

    mutating func tables(_ value: (any TOMLValueConvertible)?, at path: String) -> [TOMLTable] {
        guard let value else { return [] }
        guard let array = value.array else {
            problem(path, "is \(Self.describe(value))", "tables: [[\(path)]]")
            return []
        }
        var result: [TOMLTable] = []
        for index in 0..<array.count {
            if let table = array[index].table {
                result.append(table)
            } else {
                problem("\(path)[\(index)]", "is \(Self.describe(array[index]))", "a table")
            }
        }
        return result
    }

    mutating func checkKeys(of table: TOMLTable, at path: String, allowed: [String]) {
        for key in table.keys where !allowed.contains(key) {
            problem(path.isEmpty ? key : "\(path).\(key)", "is not a key here", allowed.joined(separator: ", "))
        }
    }

    mutating func problem(_ path: String, _ found: String, _ allowed: String) {
        guard problems.count < Self.maximumProblems else { return }
        problems.append(
            ConfigurationProblem(
                file: file, line: locator.line(of: path), key: printable(path, limit: 200),
                found: printable(found, limit: 300), allowed: allowed))
    }

    mutating func warn(_ path: String, _ found: String, _ allowed: String) {
        warnings.append(
            ConfigurationProblem(
                file: file, line: locator.line(of: path), key: printable(path, limit: 200),
                found: printable(found, limit: 300), allowed: allowed))
    }

    static func describe(_ value: any TOMLValueConvertible) -> String {
        switch value.type {
        case .string: value.string.map { $0.isEmpty ? "an empty string" : "\"\(printable($0))\"" } ?? "a string"
        case .int: value.int.map { "the number \($0)" } ?? "a number"
        case .double: "a floating-point number"
        case .bool: value.bool.map { "\($0)" } ?? "a boolean"
        case .table: "a table"
        case .array: "a list"
        default: "a date or time"
        }
    }
}
