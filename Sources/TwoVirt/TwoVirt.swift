import ArgumentParser

@main
struct TwoVirt: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "2virt")
    func run() async throws {}
}
