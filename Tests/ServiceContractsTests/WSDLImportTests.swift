import Foundation
import Testing

@testable import ServiceContracts

/// WSDL that is not in one piece: every part is served by name from a table.
@Suite struct WSDLImportTests {
    private static let base = "http://h:1/soap?wsdl"

    /// The stock service's WSDL with other types.
    private static func stock(_ types: String) throws -> String {
        let text = StockWSDL.text
        let start = try #require(text.firstRange(of: "<w:types>"))
        let end = try #require(text.firstRange(of: "</w:types>"))
        return text[..<start.upperBound] + types + text[end.lowerBound...]
    }

    private static func schema() throws -> String {
        let text = StockWSDL.text
        let start = try #require(text.firstRange(of: "<xs:schema"))
        let end = try #require(text.firstRange(of: "</xs:schema>"))
        return String(text[start.lowerBound..<end.upperBound]).replacing(
            "<xs:schema ", with: "<xs:schema xmlns:xs=\"\(XSDSchema.namespace)\" xmlns:tns=\"harbour\" ")
    }

    /// Follows everything that is asked for.
    private func gather(
        _ text: String, _ parts: [String: String], asked: inout [String]
    ) throws -> (contract: any ServiceContract, troubles: [String]) {
        guard case .wsdl(var documents) = try ServiceDocument.open(Array(text.utf8), at: Self.base) else {
            throw ContractError.badDocument("no WSDL")
        }
        while let location = documents.next() {
            asked.append(location)
            if let part = parts[location] {
                documents.add(Array(part.utf8), at: location)
            } else {
                documents.miss(location, "gone")
            }
        }
        return (try documents.contract(), documents.troubles)
    }

    private func gather(
        _ text: String, _ parts: [String: String]
    ) throws -> (contract: any ServiceContract, troubles: [String]) {
        var asked: [String] = []
        return try gather(text, parts, asked: &asked)
    }

    private var whole: ServiceDescription {
        get throws { try ServiceDocument.read(Array(StockWSDL.text.utf8)).description }
    }

    private func xs(_ body: String) -> String { "<xs:schema>\(body)</xs:schema>" }

    @Test func anImportedSchemaIsAsGoodAsOneOfItsOwn() throws {
        let text = try Self.stock(xs("<xs:import namespace=\"harbour\" schemaLocation=\"types/a.xsd#x\"/>"))
        var asked: [String] = []
        let read = try gather(text, ["http://h:1/types/a.xsd": Self.schema()], asked: &asked)
        #expect(read.contract.description == (try whole) && read.troubles.isEmpty)
        #expect(asked == ["http://h:1/types/a.xsd"])
        // Alone it has other types: the test can fail.
        #expect(try ServiceDocument.read(Array(text.utf8)).description != whole)
    }

    @Test func anImportedWSDLBringsWhatTheFirstLacks() throws {
        let service = try #require(StockWSDL.text.firstRange(of: "<w:service"))
        let inner = StockWSDL.text[..<service.lowerBound] + "</w:definitions>"
        let outer = """
            <w:definitions xmlns:w="\(WSDLReader.namespace)" xmlns:s="\(WSDLReader.soap11)" xmlns:t="harbour"
              targetNamespace="outer"><w:import namespace="harbour" location="?wsdl=0"/>
            <w:service name="S"><w:port name="P" binding="t:B"><s:address location="http://sheds:8000/stock/"/></w:port>
            </w:service></w:definitions>
            """
        let read = try gather(outer, ["http://h:1/soap?wsdl=0": String(inner)])
        #expect(read.contract.description == (try whole) && read.contract.path == "/stock/" && read.troubles.isEmpty)
    }

    /// A part of the same name in another namespace is another part.
    @Test func namesAreThoseOfTheirNamespace() throws {
        let decoy = """
            <w:definitions xmlns:w="\(WSDLReader.namespace)" targetNamespace="decoy">
            <w:message name="pingIn"/><w:portType name="Stock"/></w:definitions>
            """
        let text = StockWSDL.text.replacing(
            "<w:types>", with: "<w:import namespace=\"decoy\" location=\"d\"/><w:types>")
        #expect(try gather(text, ["http://h:1/d": decoy]).contract.description == whole)
    }

    @Test func anIncludedSchemaWithoutNamespaceTakesTheIncludingOnes() throws {
        let part = try Self.schema().replacing("targetNamespace=\"harbour\"", with: "")
        let include =
            "<xs:schema targetNamespace=\"harbour\"><xs:include schemaLocation=\"/a.xsd\"/></xs:schema>"
        let parts = ["http://h:1/a.xsd": part.replacing("tns:", with: "").replacing("xmlns:tns", with: "xmlns:n")]
        let read = try gather(Self.stock(include), parts)
        #expect(read.contract.description == (try whole) && read.troubles.isEmpty)
        let request = try read.contract.request("ping", [:])
        #expect(String(decoding: request.body, as: UTF8.self).contains("<ping xmlns=\"harbour\""))
    }

    @Test func circlesEnd() throws {
        let link = "<xs:include schemaLocation=\"a.xsd\"/><xs:include schemaLocation=\"b.xsd\"/>"
        let start = try #require(Self.schema().firstRange(of: "qualified\">"))
        var part = try Self.schema()
        part.insert(contentsOf: link, at: start.upperBound)
        let other = "<xs:schema xmlns:xs=\"\(XSDSchema.namespace)\" targetNamespace=\"harbour\">\(link)</xs:schema>"
        let text = try Self.stock(xs("<xs:import namespace=\"harbour\" schemaLocation=\"b.xsd\"/>"))
            .replacing("<w:types>", with: "<w:import namespace=\"harbour\" location=\"?wsdl\"/><w:types>")
        var asked: [String] = []
        let read = try gather(text, ["http://h:1/a.xsd": part, "http://h:1/b.xsd": other], asked: &asked)
        #expect(asked.sorted() == ["http://h:1/a.xsd", "http://h:1/b.xsd"])
        #expect(read.contract.description == (try whole) && read.troubles.isEmpty)
    }

    @Test func whatCannotBeHadIsToldAndTheRestWorks() throws {
        for (part, reason) in [
            (nil, "gone"), ("<html/>", "it is neither a schema nor WSDL: its root is 'html'"),
            ("<a>", "it is not XML: a mistake at"),
            ("<xs:schema xmlns:xs=\"\(XSDSchema.namespace)\" targetNamespace=\"x\"/>", "its namespace is 'x'"),
            (String(repeating: " ", count: WSDLDocuments.maximumBytes), "with it the documents have more than"),
        ] {
            let text = StockWSDL.text.replacing(
                "<w:types>",
                with: "<w:types>" + xs("<xs:import namespace=\"harbour\" schemaLocation=\"a.xsd\"/>"))
            let read = try gather(text, part.map { ["http://h:1/a.xsd": $0] } ?? [:])
            #expect(read.contract.description == (try whole))
            #expect(read.troubles.count == 1 && read.troubles[0].contains("a.xsd: \(reason)"), "\(read.troubles)")
        }
    }

    @Test func countAndDepthAreBounded() throws {
        let many = (0..<500).map { "<xs:include schemaLocation=\"\($0).xsd\"/>" }.joined()
        var asked: [String] = []
        let wide = try gather(Self.stock(xs(many)), [:], asked: &asked)
        #expect(asked.count == WSDLDocuments.maximumDocuments - 1)
        #expect(wide.troubles.contains { $0.contains("more than 64 documents") })
        var parts: [String: String] = [:]
        for index in 0..<60 {
            parts["http://h:1/\(index)"] =
                "<xs:schema xmlns:xs=\"\(XSDSchema.namespace)\"><xs:include schemaLocation=\"\(index + 1)\"/></xs:schema>"
        }
        asked = []
        let deep = try gather(
            Self.stock(xs("<xs:include schemaLocation=\"0\"/>")), parts, asked: &asked)
        #expect(asked.count == WSDLDocuments.maximumDepth)
        #expect(deep.troubles.contains { $0.contains("deeper than 16") })
    }

    /// Few bytes that ask for many copies.
    @Test func copiesAreBounded() throws {
        let big =
            "<xs:schema xmlns:xs=\"\(XSDSchema.namespace)\">"
            + String(repeating: "<xs:element/>", count: 30_000) + "</xs:schema>"
        let includes = (0..<50).map {
            "<xs:schema targetNamespace=\"n\($0)\"><xs:include schemaLocation=\"a\"/></xs:schema>"
        }.joined()
        let read = try gather(Self.stock(includes), ["http://h:1/a": big])
        #expect(read.troubles.contains { $0.contains("more than 100000 elements are included") })
    }
}
