import Console
import Foundation
import Testing

@Suite struct ReferenceTests {
    @Test("The README's key table is the key table")
    func readme() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let readme = try String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
        #expect(
            readme.contains(KeyTable.markdownReference),
            "put this into README.md:\n\(KeyTable.markdownReference)")
    }
}
