import Console
import ControlClient
import ControlProtocol
import Foundation
import Terminal

/// The console on a screen: inputs go through the model's `update`, its effects to engine, screen and files.
@ScreenActor
final class ConsoleApplication: ScreenApplication {
    /// Seconds that a command which was sent with the last key may take before the console goes without its answer.
    private static let quitPatience = 2.0

    private(set) var isDirty = true
    private(set) var nextTick: Double?

    private var model: ConsoleModel
    private let screen: Screen
    private let themes: ThemeStore
    private let link: EngineLink
    /// Subscriptions go out one after the other: the last must win.
    private var subscribing: Task<Void, Never>?
    private var commandsUnderWay = 0
    /// Since when the operator wants to go.
    private var quitSince: Double?

    init(model: ConsoleModel, screen: Screen, themes: ThemeStore, socket: String, actor: String) {
        self.model = model
        self.screen = screen
        self.themes = themes
        link = EngineLink(
            socket: socket, actor: actor, subscription: Subscription(snapshots: true, events: true))
        tick()
        apply(.connection(.connecting))
        Task { [link] in await link.start() }
        Task { [weak self, link] in
            for await event in link.events { self?.took(event) }
        }
    }

    func take(_ key: Key) {
        tellTime()
        apply(.key(key))
    }

    func resized(columns: Int, rows: Int) { apply(.resize(columns: columns, rows: rows)) }

    /// The clock of the title line, at each full second.
    func tick() {
        tellTime()
        let now = Clock.now
        nextTick = monotonicSeconds() + (now.rounded(.down) + 1 - now)
        if let quitSince, monotonicSeconds() - quitSince > Self.quitPatience { screen.finish() }
    }

    func draw() -> Canvas {
        isDirty = false
        return model.render(glyphs: screen.choice.glyphs, mono: screen.isMono)
    }

    private func tellTime() { apply(.tick(Clock.now)) }

    private func took(_ event: EngineLink.Event) {
        tellTime()
        switch event {
        case .connected: apply(.connection(.connected))
        case .lost(let reason, let retryIn):
            apply(.connection(.lost(reason: reason, retryAt: Clock.now + retryIn)))
        case .push(.snapshot(let snapshot)): apply(.snapshot(snapshot))
        case .push(.event(let event)): apply(.event(event))
        case .push(.traffic(let view)): apply(.traffic(view))
        }
    }

    private func apply(_ input: ConsoleInput) {
        isDirty = true
        for effect in model.update(input) { perform(effect) }
    }

    private func perform(_ effect: ConsoleEffect) {
        switch effect {
        case .send(let id, let command): send(id, command)
        case .subscribe(let subscription): subscribe(subscription)
        case .quit: quit()
        case .suspend:
            screen.suspend()
            resized(columns: screen.columns, rows: screen.rows)
        case .repaint: screen.repaint()
        case .bell: screen.bell()
        case .copy(let text): copy(text)
        case .loadTheme(let name): loadTheme(name)
        case .mouseCapture(let isOn): screen.setMouse(isOn)
        }
    }

    private func send(_ id: UInt64, _ command: Command) {
        commandsUnderWay += 1
        Task {
            let outcome = await link.send(command)
            commandsUnderWay -= 1
            tellTime()
            apply(.reply(id: id, outcome))
            if quitSince != nil, commandsUnderWay == 0 { screen.finish() }
        }
    }

    private func subscribe(_ subscription: Subscription) {
        subscribing = Task { [link, previous = subscribing] in
            await previous?.value
            await link.subscribe(subscription)
        }
    }

    /// Goes when the answers of what was sent are there: `shutdown` must not be lost on the way out.
    private func quit() {
        guard commandsUnderWay > 0 else { return screen.finish() }
        quitSince = quitSince ?? monotonicSeconds()
    }

    private func loadTheme(_ name: String) {
        do {
            screen.use(try themes.load(name))
            apply(.theme(name: name, .loaded))
        } catch {
            apply(.theme(name: name, .failed("\(error)")))
        }
    }

    /// To the clipboard over the terminal, and to a file for terminals that do not do that.
    private func copy(_ text: String) {
        screen.copy(text)
        // Parked with the screen up, shown when it is down.
        if case .failure(let error) = CopyFile.write(text) { StandardError.write("2virt: copy: \(error)") }
    }
}
