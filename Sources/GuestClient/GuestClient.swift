import ArgumentParser

@main
struct GuestClient: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "2virt-guest")
    func run() async throws {}
}
