import Testing

@testable import GuestClientKit

@Suite struct JSONParseTests {
    private func parse(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

    @Test(arguments: [
        #"{"attach":{"busid":"1-3","name":"desk","n":-7,"ok":true,"no":false,"x":null,"l":[1,[2],{}]}}"#,
        #"[]"#, #""a\"b\\c""#, "12", "null",
    ])
    func whatIsPrintedIsParsed(text: String) throws {
        #expect(try parse(text).line == text)
        #expect(try parse(parse(text).text()).line == text)
    }

    @Test func escapesAreResolved() throws {
        #expect(try parse(#""\u0041\n\t\/\ud83d\ude00é""#).string == "A\n\t/😀é")
        #expect(try parse(#""\ud83d""#).string == "\u{FFFD}")
        #expect(try parse(#""\ud83dA""#).string == "\u{FFFD}A")
        #expect(try parse(" [ 1 , 2 ] \r\n").line == "[1,2]")
        #expect(try parse("1.5e3").line == "null")
        #expect(try parse("99999999999999999999").line == "null")
    }

    @Test(arguments: [
        "", " ", "{", "}", "[1", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "\"a", "\"\\x\"", "\"\\u00g0\"",
        "\"\\u12", "\"a\nb\"", "tru", "1 2", "-", "nul", "[1 2]", "\"\\",
    ])
    func whatIsNoJSONIsRefused(text: String) {
        #expect(throws: JSONValue.ParseError.self) { try parse(text) }
    }

    @Test func depthIsBounded() {
        #expect(throws: JSONValue.ParseError.self) { try parse(String(repeating: "[", count: 100_000)) }
    }

    @Test func everyTruncationOfAMessageIsRefused() throws {
        let line = Array(#"{"attach":{"busid":"1-3","name":"d\u00e9sk","speed":"high"}}"#.utf8)
        for count in 0..<line.count {
            #expect(throws: JSONValue.ParseError.self) { try JSONValue(parsing: Array(line.prefix(count))) }
        }
    }
}
