/// Random numbers that are the same on every machine for the same seed (xorshift64*).
struct Random: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }
}

/// Makes valid instruction sequences: registers 7 and 8 point into memory and 6 holds a small multiple of 4; none of them
/// is ever a destination, so every access stays in the window.
struct SequenceGenerator {
    var random: Random
    let templates: [[UInt8]]
    let isV7: Bool

    init(seed: UInt64, templates: [String], isV7: Bool) {
        random = Random(seed: seed)
        self.templates = templates.map { Array($0.utf8.filter { $0 != UInt8(ascii: " ") }) }
        self.isV7 = isV7
    }

    /// Halfwords of about `count` instructions, with forward jumps and conditional blocks between them.
    mutating func sequence(count: Int) -> (code: [UInt16], instructions: Int) {
        var pieces: [[UInt16]] = []
        var rest = count
        while rest > 0 {
            let kind = Int.random(in: 0..<24, using: &random)
            if kind == 0 {
                pieces.append(jump())
            } else if kind == 1 {
                pieces.append([0x2800 | UInt16.random(in: 0..<0x800, using: &random)] + jump())
            } else if kind == 2 {
                pieces.append([0x4280 | UInt16.random(in: 0..<64, using: &random)] + jump())
            } else if kind == 3, isV7 {
                pieces.append(block())
            } else {
                pieces.append(instruction())
            }
            rest -= 1
        }
        // Landing places for the jumps of the last ones
        return (pieces.flatMap { $0 } + [UInt16](repeating: 0xBF00, count: 4), count)
    }

    /// A conditional jump over one instruction that follows it here.
    private mutating func jump() -> [UInt16] {
        let over = instruction()
        let condition = UInt16.random(in: 0..<14, using: &random)
        return [0xD000 | condition << 8 | UInt16(over.count - 1)] + over
    }

    private mutating func block() -> [UInt16] {
        let condition = UInt16.random(in: 0..<14, using: &random)
        let length = Int.random(in: 1...4, using: &random)
        var mask: UInt16 = 1 << UInt16(4 - length)
        var code: [UInt16] = []
        for index in 0..<length {
            if index > 0 {
                let isElse = UInt16.random(in: 0...1, using: &random)
                mask |= (condition & 1 ^ isElse) << UInt16(4 - index)
            }
            var inside = instruction(oneOnly: true)
            while inside.count == 1, inside[0] >> 8 == 0xBF { inside = instruction(oneOnly: true) }
            code += inside
        }
        return [0xBF00 | condition << 4 | mask] + code
    }

    private mutating func instruction(oneOnly: Bool = false) -> [UInt16] {
        while true {
            let template = templates[Int.random(in: 0..<templates.count, using: &random)]
            let isLong = template.starts(with: "11101".utf8) || template.starts(with: "1111".utf8)
            if oneOnly, template.count > (isLong ? 32 : 16) { continue }
            if let code = fill(template) { return code }
        }
    }

    private mutating func register(_ allowed: [UInt32]) -> UInt32 {
        allowed[Int.random(in: 0..<allowed.count, using: &random)]
    }

    private static let lowDestinations: [UInt32] = [0, 1, 2, 3, 4, 5]
    private static let destinations: [UInt32] = [0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 14]
    private static let lowSources: [UInt32] = [0, 1, 2, 3, 4, 5, 6, 7]
    private static let sources: [UInt32] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14]

    private mutating func fill(_ template: [UInt8]) -> [UInt16]? {
        var widths: [UInt8: Int] = [:]
        for letter in template { widths[letter, default: 0] += 1 }
        var values: [UInt8: UInt32] = [:]
        for (letter, width) in widths.sorted(by: { $0.key < $1.key }) {
            let isLow = width == 3
            switch letter {
            case UInt8(ascii: "d"), UInt8(ascii: "e"), UInt8(ascii: "f"):
                values[letter] = register(isLow ? Self.lowDestinations : Self.destinations)
            case UInt8(ascii: "n"), UInt8(ascii: "m"), UInt8(ascii: "a"):
                values[letter] = register(isLow ? Self.lowSources : Self.sources)
            case UInt8(ascii: "t"):
                let t = register(isLow ? Self.lowSources : Self.sources)
                values[letter] = width == 8 ? t << 4 | register(Self.sources) : t
            case UInt8(ascii: "b"): values[letter] = isLow ? 7 : register([7, 8])
            case UInt8(ascii: "o"): values[letter] = 6
            default: values[letter] = UInt32.random(in: 0...UInt32.max, using: &random)
            }
        }
        if values[UInt8(ascii: "e")] != nil, values[UInt8(ascii: "e")] == values[UInt8(ascii: "f")] { return nil }
        var left = widths
        var code: [UInt16] = []
        var word: UInt16 = 0
        for (index, letter) in template.enumerated() {
            let bit: UInt32
            switch letter {
            case UInt8(ascii: "0"): bit = 0
            case UInt8(ascii: "1"): bit = 1
            default:
                let position = left[letter, default: 1] - 1
                left[letter] = position
                bit = (values[letter] ?? 0) >> UInt32(position & 31) & 1
            }
            word = word << 1 | UInt16(bit)
            if index % 16 == 15 {
                code.append(word)
                word = 0
            }
        }
        return isAllowed(code) ? code : nil
    }

    /// Leaves out what the architecture does not define or what would leave the window.
    private func isAllowed(_ code: [UInt16]) -> Bool {
        let h = code[0]
        if h >> 10 == 0x10, h >> 6 & 15 == 13 { return true }
        if h >> 8 == 0x45 {
            // CMP of high registers: at least one must be high
            return h & 0xC0 != 0
        }
        guard code.count > 1 else { return true }
        let l = code[1]
        // MOV and shifts by immediate with S and the registers of a window as destination are excluded by the fields.
        if h & 0xFFF0 == 0xF360, h & 0xF != 15 { return l & 0x1F >= (l >> 10 & 0x1C | l >> 6 & 3) }
        if h & 0xFFFF == 0xF36F { return l >> 8 & 0xF < 6 }
        // Store and load with write-back: the base is not transferred; post- and pre-indexed forms move it.
        if h & 0xFE40 == 0xE840, h & 0x20 != 0 { return true }
        // Expanded constants that repeat a zero byte
        if h & 0xFA00 == 0xF000, l & 0x8000 == 0 {
            let code12 = UInt32(h >> 10 & 1) << 11 | UInt32(l >> 12 & 7) << 8 | UInt32(l & 0xFF)
            if code12 >> 10 == 0, code12 >> 8 != 0, code12 & 0xFF == 0 { return false }
        }
        return true
    }
}
