/// One debugger's connection: the GDB remote serial protocol over bytes, without the socket.
///
/// The owner feeds what it reads to ``receive(_:)`` and sends what that returns. While ``isRunning`` it runs the machine
/// and hands each end of a run that a debugger must hear of to ``stopped(_:)``.
public final class GDBSession {
    /// The debugger has let the machine go on and waits for it to stop.
    public private(set) var isRunning = false
    /// The debugger wants it to stop now; answer with ``stopped(_:)``.
    public private(set) var wantsInterrupt = false
    /// The debugger has detached or asked for the end.
    public private(set) var isEnded = false

    /// `monitor reset`: resets the chip, its peripherals too, where there is more than the machine.
    public var onReset: (() -> Void)?

    let machine: Machine
    private var reader = GDBPacketReader()
    private var acknowledges = true
    private var lastStop = "T05thread:1;"

    public init(machine: Machine) {
        self.machine = machine
    }

    /// Takes bytes from the debugger.
    /// - Returns: bytes for it.
    public func receive(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        for byte in bytes {
            switch reader.take(byte) {
            case .nothing: continue
            case .damaged: if acknowledges { output.append(UInt8(ascii: "-")) }
            case .interrupt: if isRunning { wantsInterrupt = true }
            case .packet(let packet):
                if acknowledges { output.append(UInt8(ascii: "+")) }
                if let answer = answer(to: packet) { output += Self.packet(answer) }
            }
        }
        return output
    }

    /// Tells the debugger why the machine stopped; nothing while it had not let it run, or for the end of a slice.
    public func stopped(_ result: RunResult) -> [UInt8] {
        guard isRunning else { return [] }
        switch result {
        case .sliceOver, .sleeping:
            guard wantsInterrupt else { return [] }
            lastStop = "T02thread:1;"
        case .breakpoint, .stopped: lastStop = "T05thread:1;"
        case .watchpoint(let address, let isWrite):
            lastStop = "T05thread:1;\(isWrite ? "watch" : "rwatch"):\(String(address, radix: 16));"
        case .fault: lastStop = "T0bthread:1;"
        case .resetRequested: lastStop = "T05thread:1;"
        }
        isRunning = false
        wantsInterrupt = false
        return Self.packet(lastStop)
    }

    /// `$text#checksum`
    static func packet(_ text: String) -> [UInt8] {
        let body = Array(text.utf8)
        let sum = body.reduce(UInt8(0)) { $0 &+ $1 }
        return [UInt8(ascii: "$")] + body + [UInt8(ascii: "#")] + Array(GDBHex.text([sum]).utf8)
    }

    // MARK: Commands

    /// - Returns: the answer, empty for a command that is not known; nil where the answer comes when the machine stops.
    private func answer(to packet: [UInt8]) -> String? {
        let text = String(decoding: packet, as: UTF8.self)
        guard let command = text.first else { return "" }
        let rest = text.dropFirst()
        switch command {
        case "?": return lastStop
        case "g": return (0..<GDBRegisters.count(machine)).map { GDBRegisters.read($0, machine) }.joined()
        case "G": return writeAll(rest)
        case "p":
            guard let number = Int(rest, radix: 16), number < GDBRegisters.count(machine) else { return "E01" }
            return GDBRegisters.read(number, machine)
        case "P":
            let parts = rest.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let number = Int(parts[0], radix: 16), let bytes = GDBHex.bytes(parts[1]),
                GDBRegisters.write(number, bytes, machine)
            else { return "E01" }
            return "OK"
        case "m":
            guard let (address, length) = range(rest) else { return "E01" }
            let bytes = read(address, count: min(length, 0x1000))
            return bytes.isEmpty && length > 0 ? "E14" : GDBHex.text(bytes)
        case "M":
            let parts = rest.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let (address, length) = range(parts[0]), let bytes = GDBHex.bytes(parts[1]),
                bytes.count == length
            else { return "E01" }
            return write(bytes, at: address) ? "OK" : "E14"
        case "c", "C": return go(from: command == "c" ? rest : "")
        case "s", "S": return step(from: command == "s" ? rest : "")
        case "Z", "z": return point(rest, isSet: command == "Z")
        case "H", "T": return "OK"
        case "D":
            isEnded = true
            return "OK"
        case "k":
            isEnded = true
            return nil
        case "v": return extended(text)
        case "q", "Q": return query(text)
        default: return ""
        }
    }

    private func extended(_ text: String) -> String? {
        if text == "vCont?" { return "vCont;c;C;s;S" }
        guard text.hasPrefix("vCont;"), let action = text.dropFirst(6).first else { return "" }
        switch action {
        case "c", "C": return go(from: "")
        case "s", "S": return step(from: "")
        default: return "E01"
        }
    }

    private func query(_ text: String) -> String {
        if text.hasPrefix("qSupported") {
            return "PacketSize=4000;qXfer:features:read+;QStartNoAckMode+;vContSupported+;hwbreak+;swbreak+"
        }
        if text == "QStartNoAckMode" {
            acknowledges = false
            return "OK"
        }
        if text.hasPrefix("qXfer:features:read:target.xml:") {
            guard let (offset, length) = range(text.dropFirst("qXfer:features:read:target.xml:".count)) else {
                return "E01"
            }
            let document = Array(GDBRegisters.description(machine).utf8)
            guard Int(offset) < document.count else { return "l" }
            let piece = document[Int(offset)...].prefix(min(length, 0x3000))
            return (piece.endIndex < document.count ? "m" : "l") + String(decoding: piece, as: UTF8.self)
        }
        switch text {
        case "qAttached": return "1"
        case "qC": return "QC1"
        case "qfThreadInfo": return "m1"
        case "qsThreadInfo": return "l"
        case "qSymbol::": return "OK"
        default: return text.hasPrefix("qRcmd,") ? monitor(text.dropFirst(6)) : ""
        }
    }

    /// `monitor reset`
    private func monitor(_ code: Substring) -> String {
        guard let bytes = GDBHex.bytes(code) else { return "E01" }
        switch String(decoding: bytes, as: UTF8.self) {
        case "reset", "reset halt":
            if let onReset { onReset() } else { machine.reset() }
            lastStop = "T05thread:1;"
            return "OK"
        default: return GDBHex.text(Array("known: reset\n".utf8))
        }
    }

    private func go(from address: Substring) -> String? {
        if !address.isEmpty {
            guard let address = UInt32(address, radix: 16) else { return "E01" }
            machine.programCounter = address
        }
        isRunning = true
        return nil
    }

    private func step(from address: Substring) -> String? {
        if let refused = go(from: address) { return refused }
        let result = machine.step()
        isRunning = false
        // Whoever runs the machine resets the chip.
        if case .resetRequested = result { machine.requestReset() }
        if case .fault = result { lastStop = "T0bthread:1;" } else { lastStop = "T05thread:1;" }
        return lastStop
    }

    /// `type,address,length`
    private func point(_ text: Substring, isSet: Bool) -> String {
        let parts = text.split(separator: ",")
        guard parts.count >= 3, let type = Int(parts[0]), let address = UInt32(parts[1], radix: 16),
            let length = UInt32(parts[2].prefix { $0 != ";" }, radix: 16)
        else { return "E01" }
        switch type {
        case 0, 1: machine.setBreakpoint(at: address, isSet)
        case 2: machine.setWatchpoint(at: address, length: length, onRead: false, onWrite: true, isSet)
        case 3: machine.setWatchpoint(at: address, length: length, onRead: true, onWrite: false, isSet)
        case 4: machine.setWatchpoint(at: address, length: length, onRead: true, onWrite: true, isSet)
        default: return ""
        }
        return "OK"
    }

    private func writeAll(_ text: Substring) -> String {
        guard let bytes = GDBHex.bytes(text) else { return "E01" }
        var rest = bytes[...]
        for number in 0..<GDBRegisters.count(machine) {
            let size = GDBRegisters.size(number)
            guard rest.count >= size else { break }
            _ = GDBRegisters.write(number, Array(rest.prefix(size)), machine)
            rest = rest.dropFirst(size)
        }
        return "OK"
    }

    // MARK: Memory

    /// `address,length`
    private func range(_ text: Substring) -> (UInt32, Int)? {
        let parts = text.split(separator: ",")
        guard parts.count == 2, let address = UInt32(parts[0], radix: 16), let length = UInt32(parts[1], radix: 16),
            length <= 0x10_0000
        else { return nil }
        return (address, Int(length))
    }

    /// Memory as far as there is any; registers by words, with what reading them does.
    private func read(_ address: UInt32, count: Int) -> [UInt8] {
        let bytes = machine.memory.bytes(at: address, count: count)
        if !bytes.isEmpty { return bytes }
        var result: [UInt8] = []
        var place = address
        while result.count < count {
            let width: AccessWidth = place & 3 == 0 && count - result.count >= 4 ? .word : .byte
            guard let value = machine.memory.read(place, width: width) else { break }
            for index in 0..<width.rawValue { result.append(UInt8(truncatingIfNeeded: value >> (index * 8))) }
            place &+= width.rawValue
        }
        return result
    }

    private func write(_ bytes: [UInt8], at address: UInt32) -> Bool {
        machine.inputChanged()
        if machine.memory.write(bytes, at: address) == bytes.count { return true }
        guard bytes.count == 4, address & 3 == 0 else { return false }
        return machine.memory.write(
            address, width: .word, value: bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) })
    }
}
