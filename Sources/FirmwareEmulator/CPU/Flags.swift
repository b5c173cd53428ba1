/// A set of condition flags, for the analysis of which ones are ever read.
struct Flags: OptionSet {
    let rawValue: UInt8

    static let n = Flags(rawValue: 1)
    static let z = Flags(rawValue: 2)
    static let c = Flags(rawValue: 4)
    static let v = Flags(rawValue: 8)
    static let nz: Flags = [.n, .z]
    static let nzc: Flags = [.n, .z, .c]
    static let all: Flags = [.n, .z, .c, .v]
}
