/// What the executor does for an ``Op``. Zeroed memory is `undecoded`.
enum OpKind: UInt8 {
    case undecoded = 0
}
