import Testing

@testable import GuestClientKit

@Suite struct CallArgumentsTests {
    private func json(_ words: String...) throws -> String {
        String(decoding: try CallArguments(words).json, as: UTF8.self)
    }

    @Test func wordsBecomeAnObject() throws {
        #expect(try json() == "{}")
        #expect(try json("a=1", "b=x=y", "c=") == #"{"a":"1","b":"x=y","c":""}"#)
        #expect(try json("a=1", "a=2", "a=3") == #"{"a":["1","2","3"]}"#)
        #expect(try json("o.a=1", "p=2", "o.b.c=3") == #"{"o":{"a":"1","b":{"c":"3"}},"p":"2"}"#)
        #expect(try json("a:=1.50", "b:=[{\"c\": null}]") == #"{"a":1.50,"b":[{"c": null}]}"#)
        #expect(try json("a=\"\\\n") == #"{"a":"\"\\\u000a"}"#)
    }

    @Test func mistakesAreNamed() {
        for (words, part) in [
            (["a"], "'a' is not NAME=VALUE"), (["=a"], "'=a' is not NAME=VALUE"), (["a:={"], "is not JSON"),
            ([".a=1"], "'.a' is not a name"), (["a..b=1"], "is not a name"), (["a=1", "a.b=2"], "has a value already"),
            (["a.b=2", "a=1"], "has parts already"),
        ] {
            let error = #expect(throws: CallArguments.Mistake.self) { try CallArguments(words) }
            #expect(error?.description.contains(part) == true, "\(words): \(error.map(\.description) ?? "")")
        }
    }
}
