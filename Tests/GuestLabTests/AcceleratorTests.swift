import Foundation
import Testing

@testable import GuestLab

@Suite struct AcceleratorTests {
    @Test func outcomesDecideAndSayWhy() {
        #expect(ProbeOutcome.booted(in: .milliseconds(1250)).choice.accelerator == .kvm)
        let silent = ProbeOutcome.silent(for: .seconds(3)).choice
        #expect(silent.accelerator == .tcg)
        #expect(silent.reason == "TCG: /dev/kvm opens, but a probe guest under it printed nothing in 3.0 s")
        #expect(ProbeOutcome.stuck(for: .seconds(20), lastLine: "ACPI").choice.reason.hasSuffix("last: ACPI"))
        #expect(ProbeOutcome.ended("exited with 1: no").choice.accelerator == .tcg)
    }

    @Test func recordHoldsOnlyUnderItsConditions() throws {
        let choice = AcceleratorChoice(accelerator: .kvm, reason: "r")
        let bytes = try JSONEncoder().encode(ProbeRecord(conditions: ["qemu 7", "boot"], choice: choice))
        #expect(ProbeRecord.choice(in: bytes, under: ["qemu 7", "boot"]) == choice)
        #expect(ProbeRecord.choice(in: bytes, under: ["qemu 8", "boot"]) == nil)
        #expect(ProbeRecord.choice(in: nil, under: []) == nil)
    }

    @Test func damagedRecordMeansProbingAgain() throws {
        let choice = AcceleratorChoice(accelerator: .kvm, reason: "r")
        let bytes = try JSONEncoder().encode(ProbeRecord(conditions: [], choice: choice))
        for count in 0..<bytes.count { #expect(ProbeRecord.choice(in: bytes.prefix(count), under: []) == nil) }
        let unknown = Data(#"{"conditions":[],"choice":{"accelerator":"magic","reason":""}}"#.utf8)
        #expect(ProbeRecord.choice(in: unknown, under: []) == nil)
        let padding = Data(repeating: 0x20, count: 1 << 20)
        #expect(ProbeRecord.choice(in: bytes + padding, under: []) == nil)
    }
}
