/// What a guest consists of while it starts.
struct GuestParts: Sendable {
    let paths: GuestPaths
    let log: KernelLog
    let commands: CommandChannel
    let monitor: GuestMonitor
    let process: ChildProcess
}
