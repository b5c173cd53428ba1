import Testing

@testable import ServiceContracts

@Suite struct SOAPTests {
    private let contract: any ServiceContract

    init() throws { contract = try ServiceDocument.read(Array(StockWSDL.text.utf8)) }

    private func body(_ operation: String, _ arguments: [String: JSON]) throws -> String {
        String(decoding: try contract.request(operation, arguments).body, as: UTF8.self)
    }

    private func reason(_ operation: String, _ arguments: [String: JSON]) -> String {
        do {
            return "done: \(try body(operation, arguments))"
        } catch {
            return "\(error)"
        }
    }

    private func answer(_ body: String, status: Int = 200, to operation: String = "total") throws -> JSON {
        let envelope =
            "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:t=\"harbour\"><e:Body>\(body)</e:Body></e:Envelope>"
        return try contract.answer(
            to: operation, ContractAnswer(status: status, contentType: "text/xml", body: Array(envelope.utf8)))
    }

    private let item: JSON = ["name": "rope", "count": "3", "shed": "north"]

    @Test func describesOperationsTypesAndWords() throws {
        let description = contract.description
        #expect(description.style == .soap)
        #expect(description.description == "What lies in the sheds.")
        #expect(description.operations.map(\.name) == ["total", "ping"])
        let total = try #require(description.operations.first)
        #expect(total.description == "Sums up.")
        #expect(total.input.map(\.name) == ["order", "taxed"])
        #expect(total.input.map(\.isRequired) == [true, false])
        #expect(total.input[1].type == "boolean")
        let order = try #require(total.input[0].fields)
        #expect(order.map(\.name) == ["customer", "items", "parent", "until"])
        #expect(order[3].type == "dateTime")
        let parts = try #require(order[1].fields?.first)
        #expect(parts.name == "Item" && parts.isRepeated)
        #expect(parts.fields?.map(\.name) == ["shed", "name", "count", "price"])
        #expect(parts.fields?.first?.values == ["north", "south"])
        #expect(total.output.map(\.name) == ["sum", "items"])
        #expect(contract.path == "/stock/")
        #expect(
            description.operations[1].output == [ServiceField(name: "pingResponse", type: "integer", isRequired: true)])
    }

    @Test func writesNestedTypesInTheSchemasOrder() throws {
        let request = try contract.request(
            "total",
            [
                "taxed": "true",
                "order": [
                    "until": "2026-01-01T00:00:00Z", "items": ["Item": [item, item]], "customer": "Tom & <Jerry>",
                ],
            ])
        #expect(request.method == "POST" && request.target == "")
        #expect(request.headers["soapaction"] == "\"urn:total\"")
        #expect(request.headers["content-type"] == "text/xml; charset=utf-8")
        let one =
            "<Item xmlns=\"harbour\" shed=\"north\"><name xmlns=\"harbour\">rope</name><count xmlns=\"harbour\">3</count></Item>"
        #expect(
            String(decoding: request.body, as: UTF8.self).contains(
                "<soap:Body><total xmlns=\"harbour\"><order xmlns=\"harbour\">"
                    + "<customer xmlns=\"harbour\">Tom &amp; &lt;Jerry&gt;</customer>"
                    + "<items xmlns=\"harbour\">\(one)\(one)</items><until xmlns=\"harbour\">2026-01-01T00:00:00Z</until>"
                    + "</order><taxed xmlns=\"harbour\">true</taxed></total></soap:Body>"))
    }

    @Test func anArrayTypesOneMemberNeedNotBeNamed() throws {
        let named = try body("total", ["order": ["customer": "a", "until": "u", "items": ["Item": [item]]]])
        #expect(try body("total", ["order": ["customer": "a", "until": "u", "items": [item]]]) == named)
    }

    @Test func wrongArgumentsAreNamed() {
        let good: [String: JSON] = ["customer": "a", "until": "u", "items": [item]]
        func order(_ change: (inout [String: JSON]) -> Void) -> [String: JSON] {
            var order = good
            change(&order)
            return ["order": .object(order)]
        }
        #expect(reason("total", [:]) == "argument 'order': is missing")
        #expect(reason("total", order { $0["customer"] = nil }) == "argument 'order.customer': is missing")
        #expect(
            reason("total", order { $0["color"] = "red" })
                == "argument 'order.color': there is no such argument; there are: customer, items, parent, until")
        #expect(
            reason("total", order { $0["items"] = [["name": "a", "count": "many", "shed": "north"]] })
                == "argument 'order.items.Item.count': found 'many'; an integer is expected")
        #expect(
            reason("total", order { $0["items"] = [["name": "a", "count": 1, "shed": "west"]] })
                == "argument 'order.items.Item.shed': found 'west'; it is one of: north, south")
        #expect(
            reason("total", ["order": "rope"])
                == "argument 'order': is an object of: customer, items, parent, until; write order.PART=VALUE")
        #expect(reason("ping", ["a": 1]) == "argument 'a': there is no such argument; there are: none")
        #expect(reason("pong", [:]) == "no operation 'pong'; there are: ping, total")
    }

    @Test func readsAnswersByTheSchema() throws {
        let answer = try answer(
            """
            <t:totalResponse><t:sum>4.5</t:sum><t:items><t:Item shed="south"><t:name>1</t:name><t:count>2</t:count></t:Item>
            </t:items></t:totalResponse>
            """)
        #expect(answer == ["sum": .number(4.5), "items": ["Item": [["name": "1", "count": 2, "shed": "south"]]]])
        #expect(try self.answer("<t:pingResponse>7</t:pingResponse>", to: "ping") == 7)
    }

    @Test func faultsAreErrorsWithTheirCode() {
        #expect(throws: ContractError.fault(code: "Server.Broken", message: "the crane", detail: "rusty 3")) {
            _ = try answer(
                """
                <e:Fault><faultcode>Server.Broken</faultcode><faultstring>the crane</faultstring>
                <detail><why>rusty</why><level>3</level></detail></e:Fault>
                """, status: 500)
        }
        #expect(throws: ContractError.refused(status: 502, body: "Bad gateway")) {
            _ = try contract.answer(
                to: "total", ContractAnswer(status: 502, contentType: "text/html", body: Array("Bad\ngateway".utf8)))
        }
        #expect(throws: ContractError.self) {
            _ = try contract.answer(
                to: "total", ContractAnswer(status: 200, contentType: "text/html", body: Array("<html>".utf8)))
        }
    }

    @Test func speaksRPCStyleInSOAP12() throws {
        let contract = try ServiceDocument.read(Array(StockWSDL.rpc.utf8))
        let request = try contract.request("add", ["a": "1", "b": 2])
        #expect(
            request.headers == ["content-type": "application/soap+xml; charset=utf-8; action=\"urn:add\""])
        let text = String(decoding: request.body, as: UTF8.self)
        #expect(text.contains("xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\""))
        #expect(text.contains("<add xmlns=\"urn:sums\"><a xmlns=\"\">1</a><b xmlns=\"\">2</b></add>"))
        let body =
            "<e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\"><e:Body><x:addResponse xmlns:x=\"urn:sums\"><result>3</result></x:addResponse></e:Body></e:Envelope>"
        let answer = try contract.answer(
            to: "add", ContractAnswer(status: 200, contentType: "application/soap+xml", body: Array(body.utf8)))
        #expect(answer == ["result": 3])
    }
}
