import Testing

@testable import SimulatedFirmware

/// Where a document may lead the engine.
@Suite struct DocumentPlaceTests {
    private func place(_ location: String, from document: String, imports: [String] = []) throws -> DocumentPlace? {
        let service = try ServiceDeclaration(name: "a", url: "10.0.0.1:80", document: document, imports: imports)
        let root = try #require(service.candidates.first)
        do throws(DocumentRefusal) {
            return try root.imported(location, by: service)
        } catch {
            return nil
        }
    }

    @Test func ownServersAndNamedOnesAreFollowed() throws {
        let document = "http://docs:8000/a?wsdl"
        for (location, target) in [
            ("http://docs:8000/b?xsd=1", "/b?xsd=1"), ("http://DOCS:8000", "/"), ("http://10.0.0.1/b", "/b"),
            ("http://other:9/b", "/b"),
        ] {
            guard case .http(_, let found)? = try place(location, from: document, imports: ["http://other:9"]) else {
                Issue.record("\(location) was refused")
                continue
            }
            #expect(found == target)
        }
    }

    @Test func allOthersAreNot() throws {
        for location in [
            "http://docs/b", "http://docs:8001/b", "https://docs:8000/b", "http://other:9/b", "file:///etc/hostname",
            "http://docs:8000@other/b", "http://docs:8000:9/b", "ftp://docs:8000/b", "http://docs.other:8000/", "", "b",
            "http://169.254.169.254/latest",
        ] {
            #expect(try place(location, from: "http://docs:8000/a?wsdl") == nil, "\(location)")
        }
    }

    @Test func filesStayInTheirFolder() throws {
        let document = "file:/srv/wsdl/a.wsdl"
        #expect(try place("file:///srv/wsdl/b%20c.xsd", from: document) == .file(path: "/srv/wsdl/b c.xsd"))
        #expect(try place("file:///srv/wsdl/types/b.xsd", from: document) == .file(path: "/srv/wsdl/types/b.xsd"))
        for location in [
            "file:///srv/b.xsd", "file:///srv/wsdl2/b.xsd", "file:///srv/wsdl/%2e%2e/b.xsd",
            "file:///srv/wsdl/../b.xsd",
            "file://host/srv/wsdl/b.xsd", "file:///etc/hostname", "http://docs/b",
        ] {
            #expect(try place(location, from: document) == nil, "\(location)")
        }
    }
}
