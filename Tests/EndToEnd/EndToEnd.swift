import Testing

/// Real guests, the built programs, a real terminal.
///
/// Needs what ``GuestLab/LabPrerequisites`` names, and tmux; the first run downloads a kernel package. One after the
/// other: two cores carry an emulated guest and its engine, and not several.
@Suite("End to end", .serialized, .timeLimit(.minutes(10))) enum EndToEnd {
    /// Those that share the guests.
    @Suite("With guests", .serialized, .guests) enum GuestTests {}
}
