import Foundation
import GuestLab
import Synchronization
import TerminalTestKit
import TestDirectory
import Testing

/// The guests all suites share: one for each kind of host controller, none with a network card.
final class LabGuests: Sendable {
    @TaskLocal static var current: LabGuests?

    /// A `qmp-directory` with nothing but these guests.
    let directory: TemporaryDirectory
    let image: GuestImage
    private let guests = Mutex<[String: Guest]>([:])

    private init(image: GuestImage) throws {
        directory = try TemporaryDirectory()
        self.image = image
    }

    var qmpDirectory: String { directory.path }
    /// A `[[vms]]` section that finds them.
    var source: String { "[[vms]]\nsource = \"qmp-directory\"\npath = \"\(qmpDirectory)\"" }
    /// `[[vms]]` sections that find these alone: what a console shows does not depend on the suites before.
    func source(of guests: Guest...) -> String {
        guests.map { "[[vms]]\nsource = \"qmp\"\npath = \"\($0.qmpSocketPath)\"" }.joined(separator: "\n")
    }
    var running: [Guest] { guests.withLock { Array($0.values) }.filter(\.isRunning) }

    static var here: LabGuests {
        get throws {
            guard let current else {
                throw LabEnvironment.Failure(description: "no guests: the suite's trait is missing")
            }
            return current
        }
    }

    /// The guest with this controller; booted the first time it is asked for, and again after it has ended.
    func guest(_ controller: USBController) async throws -> Guest {
        if let guest = guests.withLock({ $0[controller.rawValue] }), guest.isRunning { return guest }
        let guest = try await Guest.boot(
            GuestConfiguration(
                name: controller.rawValue, image: image, controllers: [controller], memoryMiB: 384,
                qmpDirectory: qmpDirectory,
                extraFiles: [
                    GuestFile(
                        path: "/usr/bin/2virt-guest", contents: .hostFile(try BuiltProducts.path(of: "2virt-guest")))
                ]))
        guests.withLock { $0[controller.rawValue] = guest }
        return guest
    }

    /// A guest with a network card, Debian's USB/IP tool, ALSA's tools and the guest agent.
    func networked(_ name: String = "net") async throws -> Guest {
        if let guest = guests.withLock({ $0[name] }), guest.isRunning { return guest }
        let contents = GuestContents(packages: ["usbip", "alsa-utils", "qemu-guest-agent"])
        let guest = try await Guest.boot(
            GuestConfiguration(
                name: name, image: try await GuestImageBuilder().build(contents), memoryMiB: 512, network: .user,
                guestAgent: true, qmpDirectory: qmpDirectory,
                extraFiles: [
                    GuestFile(
                        path: "/usr/bin/2virt-guest", contents: .hostFile(try BuiltProducts.path(of: "2virt-guest")))
                ]))
        guests.withLock { $0[name] = guest }
        return guest
    }

    /// A guest without a network card, with tools for disks and keyboards.
    func workshop() async throws -> Guest {
        let name = "workshop"
        if let guest = guests.withLock({ $0[name] }), guest.isRunning { return guest }
        let contents = GuestContents(packages: ["e2fsprogs", "eject", "sg3-utils", "kbd", "console-data"])
        let guest = try await Guest.boot(
            GuestConfiguration(
                name: name, image: try await GuestImageBuilder().build(contents), memoryMiB: 512,
                qmpDirectory: qmpDirectory))
        guests.withLock { $0[name] = guest }
        return guest
    }

    /// A guest without a network card, with libvirt's client.
    func virsh() async throws -> Guest {
        let name = "virsh"
        if let guest = guests.withLock({ $0[name] }), guest.isRunning { return guest }
        let contents = GuestContents(packages: ["libvirt-clients"])
        let guest = try await Guest.boot(
            GuestConfiguration(
                name: name, image: try await GuestImageBuilder().build(contents), memoryMiB: 512,
                qmpDirectory: qmpDirectory,
                extraFiles: [
                    GuestFile(
                        path: "/usr/bin/2virt-guest", contents: .hostFile(try BuiltProducts.path(of: "2virt-guest")))
                ]))
        guests.withLock { $0[name] = guest }
        return guest
    }

    /// The guest of a name, booted as `configuration` says unless it runs.
    func guest(
        _ name: String, _ configuration: (LabGuests) async throws -> GuestConfiguration
    ) async throws -> Guest {
        if let guest = guests.withLock({ $0[name] }), guest.isRunning { return guest }
        let guest = try await Guest.boot(try await configuration(self))
        guests.withLock { $0[name] = guest }
        return guest
    }

    static func start() async throws -> LabGuests {
        guard Tmux.isThere else { throw LabError.missingPackages(["tmux"]) }
        return try LabGuests(image: try await GuestImageBuilder().build())
    }

    func shutdown() async {
        for guest in guests.withLock({ Array($0.values) }) { await guest.shutdown() }
    }
}

/// Lets a suite have the guests, and ends them with it.
struct WithGuests: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let guests = try await LabGuests.start()
        do {
            try await LabGuests.$current.withValue(guests) { try await function() }
        } catch {
            await guests.shutdown()
            throw error
        }
        await guests.shutdown()
    }
}

extension Trait where Self == WithGuests {
    static var guests: Self { WithGuests() }
}
