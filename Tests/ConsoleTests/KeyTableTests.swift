import SnapshotFixtures
import Testing

@testable import Console

/// The one key table, and what is printed from it.
@Suite struct KeyTableTests {
    @Test(arguments: KeyContext.allCases) func noKeyMeansTwoThings(_ context: KeyContext) {
        var taken: [Key: String] = [:]
        for binding in KeyTable.bindings(in: context) {
            for key in binding.keys {
                #expect(taken[key] == nil, "\(key.label) in \(context): \(taken[key] ?? "") and \(binding.description)")
                taken[key] = binding.description
            }
        }
        #expect(!taken.isEmpty)
    }

    @Test func everyActionHasAKey() {
        for action in Action.allCases {
            #expect(KeyTable.bindings.contains { $0.action == action }, "\(action)")
        }
    }

    @Test func helpHasEveryBinding() {
        for size in [(120, 36), (80, 24)] {
            let model = console(size.0, size.1)
            let help = model.helpLines(HelpState(context: model.keyContext)).map(\.plain).joined(separator: "\n")
            let hidden: Set<KeyContext> = model.tier.isTree ? [.vms, .devices] : [.tree]
            for binding in KeyTable.bindings where !binding.contexts.subtracting(hidden).isEmpty {
                #expect(help.contains(binding.description), "\(binding.keyLabel): \(binding.description)")
            }
        }
    }

    @Test func helpStartsWithTheContextItWasAskedIn() {
        var model = console(120, 36)
        model.press(.character("4"), .character("?"))
        guard case .help(let help) = model.mode else {
            Issue.record("no help")
            return
        }
        #expect(model.helpLines(help).first?.plain == " Events")
        model.type("freeze")
        guard case .help(let search) = model.mode else { return }
        let found = model.helpLines(search).map(\.plain)
        #expect(found.count == 2)
        #expect(found.last?.contains("freeze the display") == true)
    }

    @Test(arguments: KeyContext.typing) func lettersAreTextWhereTextIsTyped(_ context: KeyContext) {
        for binding in KeyTable.bindings(in: context) {
            for case .character(let character) in binding.keys {
                Issue.record("\(character) is a command in \(context)")
            }
        }
    }

    @Test func noDestructiveKeyActsAtOnce() {
        var model = console(120, 36)
        model.stand(on: .device("combo-kbd"))
        for binding in KeyTable.bindings(in: .devices) {
            for key in binding.keys {
                var copy = model
                let sent = commands(copy.press(key))
                let allowed = sent.allSatisfy { if case .unplug = $0 { false } else { true } }
                #expect(allowed, "\(binding.keyLabel) unplugs at once")
            }
        }
    }

    @Test func hintsGreyWhatIsRefused() {
        var model = console(120, 36)
        model.stand(on: .vm("id-web-01"))
        let canvas = model.render()
        let hints = String(canvas.row(35).map(\.character))
        guard let range = hints.range(of: "u unplug") else {
            Issue.record("no unplug hint in \(hints)")
            return
        }
        let column = hints.distance(from: hints.startIndex, to: range.lowerBound)
        #expect(canvas[column, 35].role == .off)
        #expect(model.disabledReason(.unplug) == "select a device")
    }
}
