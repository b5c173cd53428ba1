import ArgumentParser

/// The `2virt` command: every verb is a subcommand, no verb is the console.
struct TwoVirt: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "2virt",
        abstract: "Virtual USB devices, plugged into live virtual machines from a terminal.",
        discussion: """
            Without a verb, 2virt is the console. Console and verbs talk to one engine per user, which is started in \
            the background when none runs and keeps the devices plugged when consoles come and go.

            Exit codes: 0 done, 1 refused or failed (the reason is on standard error), 2 wrong usage.
            """,
        version: "0.1.0",
        subcommands: [
            ConsoleVerb.self, VMsVerb.self, DevicesVerb.self, InterfacesVerb.self, EventsVerb.self, PlugVerb.self,
            UnplugVerb.self, EjectVerb.self, EnableVerb.self, DisableVerb.self, MuteVerb.self, ServicesVerb.self,
            GrantVerb.self, RevokeVerb.self, TypeVerb.self, ButtonVerb.self, ResetVerb.self, EngineVerb.self,
            DemoVerb.self, CheckVerb.self, FirmwareVerb.self, BenchVerb.self,
        ],
        defaultSubcommand: ConsoleVerb.self)
}
