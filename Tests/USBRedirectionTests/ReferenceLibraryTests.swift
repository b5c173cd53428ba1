import Foundation
import NIOCore
import TestDirectory
import Testing
import USBRedirection

/// Our bytes against libusbredirparser, the library in QEMU: it must read them, and write the same again.
@Suite("usbredir codec: libusbredirparser agrees")
struct ReferenceLibraryTests {
    static let sets: [Capabilities] = [
        Capabilities(rawValue: 0xFF), .offeredByHost, .offeredByQEMU,
        Capabilities(rawValue: 0xFF).subtracting(.ids64Bit),
        Capabilities(rawValue: 0xFF).subtracting(.bulkLength32Bit), [.filter], [],
    ]

    @Test(arguments: sets, [Side.host, .guest])
    func theLibraryReadsWhatWeWriteAndWritesTheSame(_ offered: Capabilities, _ sender: Side) throws {
        // As guest the library offers the acknowledgement whether it is asked to or not.
        let capabilities = sender == .guest ? offered.union(.deviceDisconnectAck) : offered
        let library = try ReferenceLibrary()
        let inForce = capabilities.negotiated(with: capabilities)
        let all = sender == .guest ? PacketSamples.fromGuest : PacketSamples.fromHost(inForce)
        var encoder = PacketEncoder()
        var stream = ByteBuffer()
        encoder.write(Message(0, .hello(Hello(version: "2Virt", capabilities: capabilities))), to: &stream)
        encoder.capabilities = inForce
        for (index, packet) in all.enumerated() where inForce.isSuperset(of: packet.type.requiredCapability) {
            // The library has no call to send an acknowledgement, and reports a rejection only as one.
            guard packet.type != .deviceDisconnectAck else { continue }
            let id = ReferenceLibrary.typesWithoutID.contains(packet.type) ? 0 : 0x1234_0000 + UInt64(index)
            encoder.write(Message(id, packet), to: &stream)
        }
        let ours = Array(stream.readableBytesView)
        let answer = try library.recode(ours, from: sender, capabilities)
        #expect(answer.complaints == "")
        #expect(answer.bytes == ours)
    }
}

/// `Tests/Fixtures/usbredir/recode.c`, compiled for this run.
struct ReferenceLibrary {
    /// The library sends these with id 0.
    static let typesWithoutID: Set<PacketType> = [
        .deviceConnect, .deviceDisconnect, .reset, .interfaceInfo, .endpointInfo, .filterReject, .filterFilter,
    ]

    private let directory: TemporaryDirectory
    private var program: String { directory.file("recode") }

    init() throws {
        directory = try TemporaryDirectory()
        let source = Fixtures.directory.appendingPathComponent("usbredir/recode.c").path
        let outcome = try Self.run("/usr/bin/cc", ["-O1", "-o", directory.file("recode"), source, "-lusbredirparser"])
        try #require(outcome.status == 0, "\(outcome.complaints)")
    }

    func recode(
        _ bytes: [UInt8], from sender: Side, _ capabilities: Capabilities
    ) throws -> (bytes: [UInt8], complaints: String) {
        try Data(bytes).write(to: URL(fileURLWithPath: directory.file("in")))
        let outcome = try Self.run(
            program, [sender == .host ? "host" : "guest", String(capabilities.rawValue)],
            input: directory.file("in"))
        return (outcome.output, outcome.complaints)
    }

    private static func run(
        _ program: String, _ arguments: [String], input: String = "/dev/null"
    ) throws -> (status: Int32, output: [UInt8], complaints: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: input))
        let output = Pipe()
        let complaints = Pipe()
        process.standardOutput = output
        process.standardError = complaints
        try process.run()
        // Both fit into a pipe many times over.
        process.waitUntilExit()
        return (
            process.terminationStatus, Array(output.fileHandleForReading.readDataToEndOfFile()),
            String(decoding: complaints.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        )
    }
}
