import FirmwareEmulator
import Testing

@Suite("GDB's remote protocol")
struct GDBSessionTests {
    /// movs r0, #1; movs r1, #2; str r0, [sp, #4]; b to the start
    private func session() -> (GDBSession, Machine) {
        let machine = Machine(model: .cortexM4F, hertz: 1_000_000)
        let flash = machine.memory.addFlash(at: 0, size: 0x1000)
        machine.memory.addRAM(at: 0x2000_0000, size: 0x1000)
        flash.write([0x00, 0x08, 0x00, 0x20, 0x41, 0, 0, 0], at: 0)
        flash.write([0x01, 0x20, 0x02, 0x21, 0x01, 0x90, 0xFB, 0xE7], at: 0x40)
        machine.reset()
        return (GDBSession(machine: machine), machine)
    }

    private func packet(_ text: String) -> [UInt8] {
        let sum = text.utf8.reduce(UInt8(0)) { $0 &+ $1 }
        let digits = String(sum, radix: 16)
        return Array("$\(text)#\(digits.count == 1 ? "0" : "")\(digits)".utf8)
    }

    /// The body of the answer, after its acknowledgement.
    private func ask(_ session: GDBSession, _ text: String) -> String {
        let answer = String(decoding: session.receive(packet(text)), as: UTF8.self)
        guard answer.hasPrefix("+") else { return answer }
        return String(answer.dropFirst(2).dropLast(3))
    }

    @Test func readsAndWritesRegistersAndMemory() {
        let (session, machine) = session()
        #expect(ask(session, "pf") == "40000000")
        #expect(ask(session, "pd") == "00080020")
        #expect(ask(session, "P3=78563412") == "OK")
        #expect(machine.register(3) == 0x1234_5678)
        #expect(ask(session, "m40,4") == "01200221")
        #expect(ask(session, "M20000010,2:beef") == "OK")
        #expect(ask(session, "m20000010,2") == "beef")
        #expect(ask(session, "m90000000,4") == "E14")
        #expect(ask(session, "g").count == 23 * 8 + 16 * 16 + 8)
    }

    /// The chip is its owner's to reset; what it stopped for before is forgotten.
    @Test func monitorResetResetsTheChipWhereThereIsOne() {
        let (session, machine) = session()
        machine.programCounter = 0x2000_0000
        _ = session.receive(packet("c"))
        let stop = session.stopped(machine.run(untilCycle: 10_000))
        #expect(String(decoding: stop, as: UTF8.self).hasPrefix("$T0bthread:1;#"))
        var resets = 0
        session.onReset = {
            resets += 1
            machine.reset()
        }
        #expect(ask(session, "qRcmd,7265736574") == "OK")
        #expect(resets == 1)
        #expect(ask(session, "?") == "T05thread:1;")
        #expect(machine.programCounter == 0x40)
    }

    @Test func stopsAtBreakpointsAndWatchpoints() {
        let (session, machine) = session()
        #expect(ask(session, "Z0,44,2") == "OK")
        #expect(session.receive(packet("c")) == [UInt8(ascii: "+")])
        #expect(session.isRunning)
        let stop = session.stopped(machine.run(untilCycle: 1000))
        #expect(String(decoding: stop, as: UTF8.self).hasPrefix("$T05thread:1;#"))
        #expect(machine.programCounter == 0x44)
        #expect(ask(session, "s") == "T05thread:1;")
        #expect(machine.programCounter == 0x46)
        #expect(ask(session, "z0,44,2") == "OK")
        #expect(ask(session, "Z2,20000804,4") == "OK")
        _ = session.receive(packet("c"))
        let watch = String(decoding: session.stopped(machine.run(untilCycle: 2000)), as: UTF8.self)
        #expect(watch.hasPrefix("$T05thread:1;watch:20000804;#"))
        #expect(machine.programCounter == 0x46)
    }

    @Test func anInterruptStopsARunningMachine() {
        let (session, machine) = session()
        _ = session.receive(packet("vCont;c"))
        #expect(session.stopped(machine.run(untilCycle: 500)).isEmpty)
        #expect(session.receive([3]).isEmpty)
        #expect(session.wantsInterrupt)
        #expect(String(decoding: session.stopped(machine.run(untilCycle: 600)), as: UTF8.self).hasPrefix("$T02"))
        #expect(!session.isRunning)
    }

    @Test func describesTheTargetInPieces() {
        let (session, _) = session()
        let first = ask(session, "qXfer:features:read:target.xml:0,40")
        #expect(first.hasPrefix("m<?xml"))
        let rest = ask(session, "qXfer:features:read:target.xml:40,3000")
        #expect(rest.hasPrefix("l"))
        #expect(rest.hasSuffix("</target>"))
        #expect(rest.contains("org.gnu.gdb.arm.m-profile") || first.contains("org.gnu.gdb.arm.m-profile"))
    }

    @Test func damagedPacketsAreAskedForAgain() {
        let (session, _) = session()
        #expect(session.receive(Array("$g#00".utf8)) == [UInt8(ascii: "-")])
        #expect(ask(session, "unknown") == "")
        #expect(ask(session, "P99=00") == "E01")
        #expect(ask(session, "mzz,4") == "E01")
    }
}
