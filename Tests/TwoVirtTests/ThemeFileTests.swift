import Console
import Foundation
import Testing

@testable import TwoVirt

@Suite("Theme files")
struct ThemeFileTests {
    private static var shipped: ThemeStore {
        ThemeStore(configurationDirectory: "/nonexistent", executable: #filePath)
    }

    @Test func theShippedThemesAreFoundAboveTheProgram() {
        #expect(Set(Self.shipped.names).isSuperset(of: ["harbor", "paper", "system", "mono", "contrast", "deutan"]))
        #expect(Self.shipped.preferred == "harbor")
    }

    @Test(arguments: Self.shipped.names)
    func everyThemeLoads(name: String) throws {
        #expect(try Self.shipped.load(name).styles.count == StyleRole.allCases.count)
    }

    @Test func withoutFilesThereIsTheBuiltInOne() throws {
        let store = ThemeStore(configurationDirectory: "/nonexistent", executable: "/nonexistent/2virt")
        #expect(try store.load(ThemeStore.builtIn) == .fallback)
    }

    @Test(arguments: [
        ("name = \"x\"\ngood = \"#12345\"", ["file.toml", "good", "#12345"]),
        ("name = \"x\"\ngood = 3", ["file.toml", "good"]),
        ("name = \"x\"\nbetter = \"#123456\"", ["file.toml", "better"]),
        ("name = ", ["file.toml:1"]),
        ("name = \"x\"\n[palette]\nred = [1]", ["file.toml", "palette.red"]),
    ])
    func aMistakeNamesFileAndRole(text: String, parts: [String]) {
        let error = #expect(throws: CommandFailure.self) { try ThemeFile.parse(text, file: "file.toml") }
        for part in parts { #expect(error?.description.contains(part) == true, "\(error as Any) lacks \(part)") }
    }

    @Test func anUnknownThemeNamesTheKnownOnes() {
        let error = #expect(throws: CommandFailure.self) { try Self.shipped.load("nonesuch") }
        #expect(error?.description.contains("harbor") == true)
    }
}
