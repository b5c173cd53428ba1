import Testing

@testable import GuestClientKit

@Suite struct WatchStateTests {
    private static let attach = WatchMessage.attach(busID: "1-3", name: "desk")

    /// A watch that has the device on port 2.
    private func watching(_ policy: WatchPolicy = WatchPolicy()) -> WatchState {
        var state = WatchState(policy)
        state.connected()
        #expect(state.received(Self.attach) == [.attach(busID: "1-3")])
        #expect(
            state.attached("1-3", .success(2), now: 0) == [
                .say("desk (1-3) attached to port 2"), .send(.attached(busID: "1-3", port: 2)),
            ])
        return state
    }

    private func sends(_ actions: [WatchState.Action]) -> [WatchReply] {
        actions.compactMap { if case .send(let reply) = $0 { reply } else { nil } }
    }

    @Test func messagesAreRead() {
        func read(_ text: String) -> WatchMessage? { WatchMessage(line: Array(text.utf8)) }
        #expect(read(#"{"hello":{"version":1,"guest":"vm"}}"#) == .hello(version: 1))
        #expect(read(#"{"attach":{"busid":"1-3","name":"desk","speed":"high"}}"#) == Self.attach)
        #expect(read(#"{"detach":{"busid":"1-3"}}"#) == .detach(busID: "1-3"))
        #expect(read(#"{"ping":{}}"#) == .ping)
        #expect(read(#"{"refused":{"reason":"no such guest"}}"#) == .refused(reason: "no such guest"))
        #expect(read(#"{"later":{"x":1.5}}"#) == .unknown)
        for bad in [
            "", "[]", "{}", "7", #"{"attach":{}}"#, #"{"attach":{"busid":"a b"}}"#, #"{"hello":{}}"#, "{\"ping\":",
        ] {
            #expect(read(bad) == nil, "\(bad)")
        }
        #expect(
            String(decoding: WatchReply.watch(guest: "a\"b").line, as: UTF8.self)
                == #"{"watch":{"version":1,"guest":"a\"b"}}"# + "\n")
    }

    @Test func unplugDetaches() {
        var state = watching()
        #expect(
            state.received(.detach(busID: "1-3")) == [
                .detach(port: 2), .say("desk (1-3) unplugged by the host"), .send(.detached(busID: "1-3")),
            ])
        #expect(state.ports.isEmpty)
        #expect(state.received(.detach(busID: "9-9")) == [.send(.detached(busID: "9-9"))])
    }

    @Test func whatIsSaidTwiceIsAttachedOnce() {
        var state = watching()
        #expect(state.received(Self.attach) == [.send(.attached(busID: "1-3", port: 2))])
    }

    @Test func aFirstFailureIsTheHostsToDecide() {
        var state = WatchState(WatchPolicy())
        state.connected()
        _ = state.received(Self.attach)
        let actions = state.attached("1-3", .failure(.busy("taken")), now: 0)
        #expect(sends(actions) == [.failed(busID: "1-3", reason: "taken")])
        #expect(state.nextDue == nil)
    }

    @Test func aLostLinkComesBackWithPausesThatGrow() {
        var state = watching()
        var now: Int64 = 100
        #expect(state.saw(.lost, at: 2, now: now).contains(.forget(port: 2)))
        for pause: Int64 in [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000] {
            #expect(state.nextDue == now + pause)
            #expect(state.due(now: now + pause - 1) == [])
            now += pause
            #expect(state.due(now: now) == [.attach(busID: "1-3")])
            #expect(state.nextDue == nil)
            #expect(state.attached("1-3", .failure(.refused("no")), now: now) == [])
        }
        _ = state.due(now: .max)
        #expect(sends(state.attached("1-3", .success(4), now: now)) == [.attached(busID: "1-3", port: 4)])
        _ = state.saw(.lost, at: 4, now: now)
        #expect(state.nextDue == now + 1000)
    }

    @Test func anUnplugEndsTheAttempts() {
        var state = watching()
        _ = state.saw(.lost, at: 2, now: 0)
        #expect(state.received(.detach(busID: "1-3")) == [.send(.detached(busID: "1-3"))])
        #expect(state.nextDue == nil)
    }

    @Test func theGuestsOwnDetachIsNotUndone() {
        var state = watching()
        #expect(sends(state.saw(.givenBack, at: 2, now: 0)) == [.detached(busID: "1-3")])
        #expect(state.nextDue == nil && state.ports.isEmpty)
        // The operator's next plug counts.
        #expect(state.received(Self.attach) == [.attach(busID: "1-3")])
    }

    @Test func removalInTheGuestFreesThePort() {
        var state = watching()
        let actions = state.saw(.removed, at: 2, now: 0)
        #expect(actions.first == .detach(port: 2))
        #expect(sends(actions) == [.detached(busID: "1-3")])
        #expect(state.nextDue == nil)
    }

    @Test func afterTheEnginesLossTheHostSaysItAgain() {
        var state = watching()
        state.disconnected()
        #expect(state.saw(.lost, at: 2, now: 0).first == .forget(port: 2))
        #expect(state.nextDue == nil)
        state.connected()
        #expect(state.received(Self.attach) == [.attach(busID: "1-3")])
    }

    @Test func aLinkThatOutlivesTheConnectionStays() {
        var state = watching()
        state.disconnected()
        state.connected()
        #expect(state.received(Self.attach) == [.send(.attached(busID: "1-3", port: 2))])
    }

    @Test func whatTheGuestGaveBackWhileTheHostWasAwayStaysAwayOnce() {
        var state = watching()
        state.disconnected()
        #expect(sends(state.saw(.givenBack, at: 2, now: 0)).isEmpty)
        state.connected()
        #expect(
            state.received(Self.attach) == [.send(.failed(busID: "1-3", reason: "it was detached in the guest"))])
        #expect(state.received(Self.attach) == [.attach(busID: "1-3")])
    }

    @Test func itCanBeToldNotToReattach() {
        var state = watching(WatchPolicy(reattaches: false))
        #expect(sends(state.saw(.lost, at: 2, now: 0)) == [.detached(busID: "1-3")])
        #expect(state.nextDue == nil)
        state = watching(WatchPolicy(reattaches: false))
        state.disconnected()
        _ = state.saw(.lost, at: 2, now: 0)
        state.connected()
        #expect(sends(state.received(Self.attach)).count == 1)
        #expect(state.received(Self.attach) == [.attach(busID: "1-3")])
    }

    @Test func whatADyingHostWasToldLastIsToldTheNextOne() {
        var state = watching(WatchPolicy(reattaches: false))
        // The device's link is seen to end before the connection is.
        #expect(sends(state.saw(.lost, at: 2, now: 0)) == [.detached(busID: "1-3")])
        state.disconnected()
        state.connected()
        #expect(
            sends(state.received(Self.attach)) == [
                .failed(busID: "1-3", reason: "it was lost, and the guest's watch does not attach again by itself")
            ])
        #expect(state.received(Self.attach) == [.attach(busID: "1-3")])
        // A host that has spoken since has heard it.
        state = watching()
        _ = state.saw(.givenBack, at: 2, now: 0)
        _ = state.received(.ping)
        state.disconnected()
        state.connected()
        #expect(state.received(Self.attach) == [.attach(busID: "1-3")])
    }

    @Test func onlyWhatIsAskedForIsTaken() {
        var state = WatchState(WatchPolicy(only: ["lamp"]))
        state.connected()
        #expect(sends(state.received(Self.attach)).count == 1)
        #expect(state.received(.attach(busID: "1-4", name: "lamp")) == [.attach(busID: "1-4")])
    }
}
