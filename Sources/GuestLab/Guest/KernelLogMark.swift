/// A place in a guest's kernel log; waiting from a mark ignores what was printed before it.
public struct KernelLogMark: Sendable, Equatable {
    let line: Int

    public static let start = KernelLogMark(line: 0)
}
