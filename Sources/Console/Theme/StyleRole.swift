/// What a cell means; a theme says how that looks.
public enum StyleRole: String, CaseIterable, Sendable {
    /// Ordinary words, and the screen's background.
    case text
    /// Secondary words: units, times, explanations.
    case dim
    /// Boxes and rules.
    case frame
    /// Box and title of the focused pane.
    case focus
    /// Names of things and headings.
    case title
    /// Works: running, plugged, on.
    case good
    /// Needs an eye: paused, stall, about to happen.
    case warn
    /// Broken: lost, rejected, failed.
    case bad
    /// On its way: plugging, ejecting, re-enumerating.
    case busy
    /// Not there: off, unplugged, shut down.
    case off
    /// The selected row.
    case select
    /// Towards the guest.
    case `in`
    /// From the guest.
    case out
    /// A key in the hint bar.
    case hintKey = "hint-key"

    /// Its letter in a style dump; all are different.
    public var letter: Character {
        switch self {
        case .text: "t"
        case .dim: "d"
        case .frame: "f"
        case .focus: "h"
        case .title: "a"
        case .good: "g"
        case .warn: "w"
        case .bad: "b"
        case .busy: "c"
        case .off: "o"
        case .select: "s"
        case .in: "i"
        case .out: "u"
        case .hintKey: "k"
        }
    }

    /// Roles that say how something is; a theme must keep each apart from the others without colour.
    public static let states: [StyleRole] = [.good, .warn, .bad, .busy, .off]
}
