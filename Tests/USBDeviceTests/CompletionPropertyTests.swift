import Testing
import USBCore

@testable import USBDevice

/// Whatever host, operator and functions do, each submitted transfer completes once, and nothing else does.
@Suite struct CompletionPropertyTests {
    /// SplitMix64: a failing seed can be run again.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    /// Random steps on one device, with a ledger of what is owed.
    private final class Run {
        let functions: [TestFunction]
        let host: TestHost
        var random: Generator
        var owed: [TransferID: Int] = [:]
        var problems: [String] = []
        private var nextID: TransferID = 1_000_000
        private var depth = 0

        init(seed: UInt64, reentrant: Bool) throws {
            random = Generator(state: seed)
            functions = [TestFunction.pipe("a"), TestFunction.network("n"), TestFunction.pipe("b")]
            host = try TestHost(functions, at: nil)
            host.onCompletion = { [unowned self] completion in
                if owed[completion.id] == 1 {
                    owed[completion.id] = nil
                } else {
                    problems.append("\(completion.id) completed without being owed")
                }
                if reentrant, depth < 3, chance(3) {
                    depth += 1
                    step()
                    depth -= 1
                }
            }
            for function in functions {
                function.onReady = { [unowned self] function, endpoint in
                    if chance(2) { function.drain() } else if chance(3) { _ = function.context?.read("out") }
                    if chance(4) { function.write([1, 2], endOfMessage: chance(2)) }
                    if chance(20) { function.context?.halt(endpoint) }
                }
            }
        }

        func chance(_ oneIn: Int) -> Bool { Int.random(in: 0..<oneIn, using: &random) == 0 }

        func submit(_ make: (TransferID) -> Transfer) {
            nextID += 1
            owed[nextID] = 1
            host.port.submit(make(nextID))
        }

        func control(_ type: UInt8, _ request: UInt8, _ value: UInt16, _ index: UInt16) {
            submit {
                .control(
                    $0,
                    SetupPacket(requestType: RequestType(rawValue: type), request: request, value: value, index: index))
            }
        }

        func step() {
            let number = UInt8.random(in: 0...4, using: &random)
            switch Int.random(in: 0..<20, using: &random) {
            case 0...4: submit { .in($0, number, length: Int.random(in: 0...1100, using: &random)) }
            case 5...8:
                submit { .out($0, number, data: [UInt8](repeating: 7, count: Int.random(in: 0...600, using: &random))) }
            case 9, 10: if let id = owed.keys.sorted().randomElement(using: &random) { host.port.cancel(id) }
            case 11: if chance(3) { host.port.busReset() }
            case 12: control(0, 9, chance(3) ? 0 : 1, 0)
            case 13: control(1, 11, UInt16(number & 1), UInt16(number))
            case 14: control(2, chance(2) ? 1 : 3, 0, UInt16(number) | (chance(2) ? 0x80 : 0))
            case 15: gate()
            case 16: if chance(4) { host.port.disconnect() }
            case 17: connect()
            default:
                let function = functions[Int(number) % 3]
                function.write(
                    [UInt8](repeating: 3, count: Int.random(in: 0...1500, using: &random)), endOfMessage: chance(2))
                if chance(2) { function.drain() }
            }
        }

        func gate() {
            let gate = [Gate.on, .on, .muted, .hidden].randomElement(using: &random) ?? .on
            host.device.setGate(gate, of: ["a", "n", "b"].randomElement(using: &random) ?? "a")
        }

        func connect() {
            guard !host.port.isConnected else { return }
            do {
                try host.port.connect(to: host, speed: [.full, .high, .super].randomElement(using: &random) ?? .high)
                control(0, 9, 1, 0)
            } catch DevicePortError.busy {
                // Still disconnecting: a step from one of its completions.
            } catch {
                problems.append("\(error)")
            }
        }
    }

    @Test(arguments: [false, true]) func eachTransferCompletesExactlyOnce(reentrant: Bool) throws {
        for seed in 1...60 as ClosedRange<UInt64> {
            let run = try Run(seed: seed, reentrant: reentrant)
            run.connect()
            for _ in 0..<400 {
                // Again: a step from the completion of SET_CONFIGURATION may unplug it at once.
                while !run.host.port.isConnected { run.connect() }
                run.step()
                // The port's own books agree with the ledger at all times.
                #expect(run.host.port.pendingCount == run.owed.count, "seed \(seed)")
            }
            run.host.port.disconnect()
            #expect(run.owed.isEmpty, "seed \(seed): \(run.owed.keys.sorted())")
            #expect(run.problems.isEmpty, "seed \(seed): \(run.problems)")
            #expect(run.host.completions.count > 100)
        }
    }
}
