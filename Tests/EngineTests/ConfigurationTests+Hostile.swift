import Testing

@testable import Engine

/// Texts that are no configuration at all.
extension ConfigurationTests {
    @Test func deepNestingIsRefusedBeforeItIsParsed() {
        let refusal = "is nested too deeply; allowed: 32 lists and tables within each other, 16 parts of a key"
        for (open, close) in [("[", "]"), ("{a=", "}")] {
            for depth in [33, 1000, 100_000] {
                let text = "x = " + String(repeating: open, count: depth) + String(repeating: close, count: depth)
                #expect(messages(text) == "f:1: \(refusal)")
            }
        }
        for dots in [16, 100_000] {
            let key = "a" + String(repeating: ".a", count: dots)
            #expect(messages("\n\(key) = 1") == "f:2: \(refusal)")
            #expect(messages("[\(key)]") == "f:1: \(refusal)")
            #expect(messages("x = {\(key) = 1}") == "f:1: \(refusal)")
        }
    }

    /// A mutation must be judged, whatever the judgement, in a time that has to do with its length.
    @Test func mutationsNeverTrapOrHang() {
        var random = Seeded(seed: 20_261_122)
        let seeds = [
            Self.example,
            "a.b.\"c.d\" = 1\n'e f'.g = [[1, [2]], {x.y = '''\n''', z = \"\"\"\\\n\"\"\"\"\"}]\n[h.'i'.j]\n[[k.l]]\n[[k.l]]\n",
        ].map { Array($0.utf8) }
        let bits = Array("[]{}=.,\"'#\\\n\r\t \u{0}a1".utf8)
        for round in 0..<3000 {
            var bytes = seeds[round % seeds.count]
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let position = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes[position] = bits[Int.random(in: 0..<bits.count, using: &random)]
                case 1: bytes.insert(bits[Int.random(in: 0..<bits.count, using: &random)], at: position)
                case 2: bytes.remove(at: position)
                case 3: bytes.removeSubrange(position..<min(bytes.count, position + 40))
                default: bytes[position] = UInt8.random(in: 0...255, using: &random)
                }
                if bytes.isEmpty { bytes = [10] }
            }
            #expect(!messages(String(decoding: bytes, as: UTF8.self)).isEmpty)
        }
        for _ in 0..<2000 {
            let count = Int.random(in: 0..<200, using: &random)
            let bytes = (0..<count).map { _ in
                Bool.random(using: &random)
                    ? bits[Int.random(in: 0..<bits.count, using: &random)] : UInt8.random(in: 0...255, using: &random)
            }
            let locator = TOMLLocator(String(decoding: bytes, as: UTF8.self))
            #expect(locator.lines.values.allSatisfy { $0 >= 1 && $0 <= count + 1 })
        }
    }

    @Test(arguments: [
        ("a.b.c = 1", "a.b.c", 1),
        ("\"x.y\" = 1", "x.y", 1),
        ("a = '''\n[b]\n'''\nc = 1", "c", 4),
        ("a = \"\"\"\n\\\"\"\"\n\"\"\"\"\"\nc = 1", "c", 4),
        ("[[d]]\n[[d.i]]\nk=1\n[[d.i]]\nk=2\n[[d]]\n[[d.i]]\nk=3", "d[1].i[0].k", 8),
        ("[[d]]\n[[d.i]]\nk=1\n[[d.i]]\nk=2", "d[0].i[1].k", 5),
        ("[[d]]\n[d.t]\nk=1", "d[0].t.k", 3),
        ("a = [ # ]\n [1,\n 2], {\"k\" = 3} ]\n", "a[1].k", 3),
        ("x = 1\r\ny = 2\r\n", "y", 2),
    ])
    func lines(_ text: String, _ path: String, _ line: Int) {
        #expect(TOMLLocator(text).lines[path] == line)
    }
}

/// Equal numbers in every run.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
