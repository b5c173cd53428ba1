import Foundation
import Testing

@testable import Console

/// Theme files and what every theme must keep.
@Suite struct ThemeTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "themes")
    static let names = ["contrast", "deutan", "harbor", "mono", "paper", "system"]

    /// The strings of a theme file: enough of TOML for files of `key = "value"` and tables.
    static func load(_ name: String) throws -> Theme {
        let text = try String(contentsOf: folder.appending(path: name + ".toml"), encoding: .utf8)
        var sections: [String: [String: String]] = [:]
        var section = ""
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            if line.hasPrefix("[") {
                section = line.trimmingCharacters(in: CharacterSet(charactersIn: "[] "))
                continue
            }
            let parts = line.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            try #require(parts.count == 2 && parts[1].hasPrefix("\"") && parts[1].hasSuffix("\""), "\(name): \(line)")
            sections[section, default: [:]][parts[0]] = String(parts[1].dropFirst().dropLast())
        }
        return try Theme.parse(sections)
    }

    @Test(arguments: names) func everyThemeParses(_ name: String) throws {
        let theme = try Self.load(name)
        #expect(theme.name.lowercased() == name)
        #expect(Set(theme.styles.keys) == Set(StyleRole.allCases))
    }

    @Test func thereIsNoOtherTheme() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).sorted()
        #expect(files == Self.names.map { $0 + ".toml" })
    }

    @Test func theFallbackIsTheSystemTheme() throws {
        #expect(try Self.load("system") == .fallback)
    }

    /// WCAG 2.1 relative luminance.
    static func luminance(_ colour: RGB) -> Double {
        func linear(_ value: UInt8) -> Double {
            let share = Double(value) / 255
            return share <= 0.04045 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * linear(colour.red) + 0.7152 * linear(colour.green) + 0.0722 * linear(colour.blue)
    }

    static func contrast(_ one: RGB, _ other: RGB) -> Double {
        let (light, dark) = (max(luminance(one), luminance(other)), min(luminance(one), luminance(other)))
        return (light + 0.05) / (dark + 0.05)
    }

    @Test(arguments: names) func textCanBeRead(_ name: String) throws {
        let theme = try Self.load(name)
        for role in StyleRole.allCases where role != .frame {
            let style = theme[role]
            guard let front = style.foreground, let back = style.background else {
                // Both or none: half a pair would stand on a colour nobody chose.
                #expect(style.foreground == nil && style.background == nil, "\(name) \(role)")
                continue
            }
            let ratio = Self.contrast(front, back)
            #expect(ratio >= 4.5, "\(name) \(role): \(ratio)")
        }
    }

    @Test(arguments: names) func statesDifferWithoutColour(_ name: String) throws {
        let theme = try Self.load(name)
        let states = StyleRole.states.map { theme[$0].mono.rawValue }
        #expect(Set(states).count == states.count)
    }

    @Test(
        arguments: [
            (["": ["frame": "#ffffff"]], "name: missing"),
            (["": ["name": "X", "glow": "#ffffff"]], "glow: unknown role; allowed are text, dim"),
            (["": ["name": "X", "good": "#12345"]], "good: found '#12345'; allowed is #rrggbb"),
            (["": ["name": "X", "good": "#+12345"]], "good: found '#+12345'; allowed is #rrggbb"),
            (["": ["name": "X", "good": "#ffffff | 16"]], "good: found '16'; allowed is 0 to 15"),
            (["": ["name": "X", "good": "#ffffff | 2 | blink"]], "good: found 'blink'; allowed is - or words of bold"),
            (
                ["": ["name": "X", "good": "$sea"], "palette": ["sky": "#0000ff"]],
                "good: found '$sea'; the palette has $sky"
            ),
            (["": ["name": "X", "good": "a b c"]], "good: found 'a b c'; allowed is COLOUR or COLOUR on COLOUR"),
            (["": ["name": "X", "good": "1|2|3|4"]], "good: found '1|2|3|4'; allowed are three columns"),
            (["": ["name": "X"], "colours": [:]], "[colours]: unknown table"),
            (["": ["name": "X", "good": "default"]], "text, dim, frame"),
        ] as [([String: [String: String]], String)]) func errorsNameRoleFoundAndAllowed(
            _ sections: [String: [String: String]], _ message: String
        )
    {
        #expect {
            try Theme.parse(sections)
        } throws: { error in
            "\(error)".hasPrefix(message)
        }
    }

    @Test func fixedPaletteOnly() {
        #expect(RGB(255, 0, 0).indexed256 == 196)
        #expect(RGB(0, 0, 0).indexed256 == 16)
        #expect(RGB(128, 128, 128).indexed256 == 244)
        for value in stride(from: 0, through: 255, by: 5) {
            let byte = UInt8(value)
            #expect(RGB(byte, byte ^ 0x55, 255 - byte).indexed256 >= 16)
        }
    }
}
