/// What the URB stream's 48-byte headers have in common.
public enum URBHeader {
    /// Bytes of every header, both ways.
    @inlinable public static var length: Int { 48 }
    /// `command` of RET_SUBMIT.
    @inlinable static var submitReply: UInt32 { 3 }
}

/// `command` of a header.
enum URBCommand: UInt32 {
    case submit = 1
    case unlink = 2
    case submitReply = 3
    case unlinkReply = 4
}
