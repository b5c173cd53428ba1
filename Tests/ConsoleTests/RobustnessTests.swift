import ControlProtocol
import SnapshotFixtures
import Testing

@testable import Console

/// Nothing from outside traps the console or reaches the terminal as a command.
@Suite struct RobustnessTests {
    /// A small generator with a fixed start, so that a failure can be had again.
    struct Dice: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    /// What every picture keeps: its size, whole wide characters, and no controls.
    func check(_ canvas: Canvas, _ columns: Int, _ rows: Int) -> Bool {
        guard canvas.columns == columns, canvas.rows == rows, canvas.cells.count == columns * rows else { return false }
        for row in 0..<rows {
            for column in 0..<columns {
                let cell = canvas[column, row]
                if cell.width == 2, !canvas[column + 1, row].isContinuation || column + 1 >= columns { return false }
                if cell.isContinuation, column == 0 || canvas[column - 1, row].width != 2 { return false }
                for scalar in cell.character.unicodeScalars where scalar.value < 0x20 || 0x7F..<0xA0 ~= scalar.value {
                    return false
                }
            }
        }
        return true
    }

    static let keys: [Key] =
        KeyTable.bindings.flatMap(\.keys) + [
            .character("x"), .character("京"), .paste("a\u{1B}[2J\nb"), .function(9), .insert,
        ]

    @Test(arguments: 1...6) func randomSizesAndKeysNeverTrap(_ seed: UInt64) {
        var dice = Dice(state: seed)
        var model = GoldenTests.watching(80, 24)
        for step in 0..<60 {
            let columns = Int.random(in: 1...250, using: &dice)
            let rows = Int.random(in: 1...80, using: &dice)
            _ = model.update(.resize(columns: columns, rows: rows))
            for _ in 0..<3 {
                if let key = Self.keys.randomElement(using: &dice) { _ = model.update(.key(key)) }
            }
            if step % 10 == 0 {
                let mouse = Mouse(column: columns / 2, row: rows / 2, action: .press(1))
                _ = model.update(.key(.mouse(mouse)))
                _ = model.update(.snapshot(step % 20 == 0 ? Snapshot(time: Harbour.now) : Harbour.snapshot()))
            }
            let glyphs = GlyphSet.allCases[step % 3]
            let canvas = model.render(glyphs: glyphs, mono: step % 2 == 0)
            #expect(check(canvas, columns, rows), "seed \(seed) step \(step) \(columns)x\(rows)")
            if glyphs == .ascii { #expect(canvas.text.allSatisfy { $0.isASCII }) }
        }
    }

    @Test func everyNarrowSizeIsDrawn() {
        var model = GoldenTests.watching(80, 24)
        for columns in stride(from: 1, through: 250, by: 7) {
            for rows in [1, 2, 3, 4, 5, 6, 8, 11, 12, 13, 21, 22, 23, 29, 30, 44, 45, 80] {
                _ = model.update(.resize(columns: columns, rows: rows))
                #expect(check(model.render(), columns, rows), "\(columns)x\(rows)")
            }
        }
        _ = model.update(.resize(columns: 0, rows: 0))
        #expect(model.render().text.isEmpty)
        _ = model.update(.resize(columns: -5, rows: Int.max))
        #expect(model.render().cells.isEmpty)
    }

    @Test func hostileNumbersAreJustNumbers() {
        var snapshot = Harbour.snapshot()
        snapshot.time = .infinity
        snapshot.engine.startedAt = -.infinity
        for index in snapshot.vms.indices {
            snapshot.vms[index].since = .nan
            snapshot.vms[index].cpuPercent = .infinity
            snapshot.vms[index].startedAt = -1e300
            snapshot.vms[index].memoryBytes = .max
            snapshot.vms[index].vcpus = .min
            snapshot.vms[index].controllers = [
                ControllerSnapshot(id: "", model: "", speeds: [], ports: .max, freePorts: .min),
                ControllerSnapshot(id: "", model: "", speeds: [], ports: .max, freePorts: .max),
            ]
        }
        for index in snapshot.devices.indices {
            snapshot.devices[index].since = .greatestFiniteMagnitude
            snapshot.devices[index].counters = Counters(
                bytesIn: .max, bytesOut: .max, transfersIn: .max, transfersOut: .max, errors: .max, stalls: .max)
        }
        var view = Harbour.traffic
        view.sampleSeconds = -.nan
        view.samples = [RateSample(bytesIn: .max, bytesOut: .max, transfers: .max)]
        view.ringCount = .min
        view.counters = Counters(bytesIn: .max, errors: .max)
        view.transfers = [
            TransferRow(
                sequence: .max, time: -.infinity, latency: .nan, endpoint: 255, type: "\u{1B}", length: .min,
                actual: .max, status: "",
                setup: [], head: Array(repeating: 27, count: 9000), decode: String(repeating: "京\u{301}\n", count: 3000)
            )
        ]
        for (columns, rows) in GoldenTests.sizes {
            var model = GoldenTests.watching(columns, rows)
            _ = model.update(.traffic(view))
            _ = model.update(.snapshot(snapshot))
            _ = model.update(.tick(.nan))
            model.press(.character("3"), .up, .character("p"))
            #expect(check(model.render(), columns, rows))
        }
    }

    @Test func namesCannotReachTheTerminal() {
        let evil = "a\u{1B}[2J\u{9B}31m\u{202E}\u{200B}\u{7F}b"
        let drawn = String(DisplayText.glyphs(evil).map(\.character))
        #expect(drawn == "a\u{FFFD}[2J\u{FFFD}31m\u{FFFD}\u{FFFD}\u{FFFD}b")
    }

    @Test(arguments: [
        ("abc", 3), ("東京", 4), ("é", 1), ("e\u{301}", 1), ("🚃", 2), ("👩‍👩‍👧", 6), ("ｶﾅ", 2), ("±●│", 3), ("\u{301}", 0),
        ("한글", 4),
    ]) func widths(_ text: String, _ width: Int) {
        #expect(DisplayText.width(text) == width)
        #expect(DisplayText.glyphs(text).reduce(0) { $0 + $1.width } == width)
    }

    @Test func aThousandMarksStayInTheirCell() {
        let glyphs = DisplayText.glyphs("z" + String(repeating: "\u{301}", count: 1000))
        #expect(glyphs.count == 1)
        #expect(glyphs.first?.character.unicodeScalars.count == 5)
    }

    @Test func overwritingHalfAWideCharacterBlanksTheOther() {
        var canvas = Canvas(columns: 6, rows: 1)
        canvas.draw(StyledText("東京"), 0, 0, width: 6)
        canvas.draw(StyledText("x"), 1, 0, width: 1)
        #expect(canvas.text == " x京\n")
        canvas.draw(StyledText("y"), 2, 0, width: 1)
        #expect(canvas.text == " xy\n")
    }

    @Test func manyVMsAreDrawnInTime() {
        var snapshot = Harbour.snapshot()
        snapshot.vms = (0..<1000).map { Harbour.vm("vm-\($0)") }
        var model = console(200, 60)
        _ = model.update(.snapshot(snapshot))
        let clock = ContinuousClock()
        let elapsed = clock.measure {
            for _ in 0..<10 {
                model.press(.down)
                _ = model.render()
            }
        }
        // A debug build on a busy machine; it is about the order of growth.
        #expect(elapsed < .seconds(10))
    }
}
