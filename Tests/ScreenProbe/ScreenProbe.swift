import CTerminal
import Console
import Foundation
import Terminal

/// Takes the screen and then dies as its argument says, for tests of what the terminal looks like afterwards.
@main
enum ScreenProbe {
    static func main() {
        ct_block_signals()
        let way = CommandLine.arguments.dropFirst().first ?? ""
        ScreenActor.run { show(way) }
    }

    @ScreenActor
    private static func show(_ way: String) {
        do {
            let theme = Theme.fallback
            let screen = try Screen(choice: .ofThisProcess(), theme: theme, mouse: true)
            FileHandle.standardError.write(Data("written while the screen was up\n".utf8))
            let exit = screen.run(Picture(screen: screen, way: way))
            screen.close()
            Foundation.exit(exit.code)
        } catch {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            Foundation.exit(1)
        }
    }
}

/// One line; `x` carries the argument out.
@ScreenActor
private final class Picture: ScreenApplication {
    var isDirty = true
    var nextTick: Double? { nil }
    private let screen: Screen
    private let way: String
    private var size = (columns: 0, rows: 0)

    init(screen: Screen, way: String) {
        self.screen = screen
        self.way = way
    }

    func resized(columns: Int, rows: Int) {
        size = (columns, rows)
        isDirty = true
    }

    func tick() {}

    func draw() -> Canvas {
        isDirty = false
        var canvas = Canvas(columns: size.columns, rows: size.rows)
        for (column, character) in "probe is up".enumerated() {
            canvas[column, 0] = Cell(character, role: .focus)
        }
        return canvas
    }

    func take(_ key: Key) {
        guard key == .character("x") else { return }
        switch way {
        case "trap": fatalError("asked to crash")
        case "overflow": print(Self.sink(1))
        case "abort": abort()
        default: screen.finish()
        }
    }

    @inline(never)
    private static func sink(_ depth: Int) -> Int {
        depth == 0 ? 0 : sink(depth + 1) + 1
    }
}
