/// The one table of keys; what is not here does nothing.
public enum KeyTable {
    private static let panes = KeyContext.panes
    private static let lists = KeyContext.lists
    private static let typing = KeyContext.typing
    private static let everywhere = panes.union(typing).union([.board, .quit])

    /// In the order of hint bar and help.
    public static let bindings: [Binding] = verbs + views + movement + program + text + board

    private static let verbs: [Binding] = [
        Binding(
            [.character(" ")], lists, .toggle, hint: "on/off", "switch the interface on or off; on a device: all of it"),
        Binding([.character("p")], lists, .plug, hint: "plug", "plug a device into a VM"),
        Binding([.character("u")], lists, .unplug, hint: "unplug", "unplug the device; asks for u a second time"),
        Binding([.character("e")], lists, .eject, hint: "eject", "ask the guest to let go, then unplug"),
        Binding(
            [.character("b")], lists, .board, hint: "board",
            "board of an emulated device: CPU, LEDs, buttons, serial port"),
        Binding([.character("i")], lists, .type, "type or paste into the guest with the device's keyboard"),
        Binding([.character("U")], panes, .undo, hint: "undo", "take back the last switch or unplug (30 s)"),
    ]

    private static let views: [Binding] = [
        Binding([.enter], lists, .drill, hint: "open", "go in: VM, device, interface, traffic"),
        Binding([.enter], [.traffic], .drill, hint: "hold", "hold this transfer; again: follow the newest"),
        Binding([.enter], [.events], .drill, hint: "go there", "go to what the event is about"),
        Binding([.escape, .backspace], panes, .back, "back out; never quits"),
        Binding([.character("/")], panes, .filter, hint: "filter", "filter the list: words, state:lost, rate>1k, !not"),
        Binding([.character(":")], panes, .command, hint: "command", "type a command, as on the command line"),
        Binding([.character("f")], panes, .pin, hint: "pin", "pin the traffic pane to this object, or let it follow"),
        Binding([.character("z")], panes, .freeze, hint: "freeze", "freeze the display; what happens goes on"),
        Binding([.character("!")], panes, .nextFault, hint: "fault", "go to the next fault"),
        Binding([.character("+")], panes, .zoom, hint: "zoom", "give the pane the whole screen, or back"),
        Binding([.character("t")], panes, .theme, "choose a theme"),
        Binding([.character("y")], panes, .copy, "copy the selected row"),
        Binding([.character("M")], panes, .mouse, "mouse on or off (off: the terminal selects text)"),
    ]

    private static let movement: [Binding] = [
        Binding([.up, .character("k")], panes, .up, "up"),
        Binding([.down, .character("j")], panes, .down, "down"),
        Binding([.pageUp], panes, .pageUp, "a page up"),
        Binding([.pageDown], panes, .pageDown, "a page down"),
        Binding([.home, .character("g")], panes, .first, "to the first row"),
        Binding([.end, .character("G")], panes, .last, "to the last row"),
        Binding([.left, .character("h")], panes, .fold, "fold, or go to what holds it"),
        Binding([.right, .character("l")], panes, .unfold, "unfold, or go in"),
        Binding([.tab], panes, .nextPane, "next pane"),
        Binding([.backTab], panes, .previousPane, "previous pane"),
        Binding([.character("1")], panes, .pane1, "VMs; a second time: zoom"),
        Binding([.character("2")], panes, .pane2, "devices; a second time: zoom"),
        Binding([.character("3")], panes, .pane3, "traffic; a second time: zoom"),
        Binding([.character("4")], panes, .pane4, "events; a second time: zoom"),
    ]

    private static let program: [Binding] = [
        Binding([.character("?"), .function(1)], panes, .help, hint: "help", "the keys"),
        Binding(
            [.character("q"), .control("c")], panes, .quit, hint: "quit", "leave the console; devices stay plugged"),
        Binding(
            [.enter, .character("q"), .character("L")], [.quit], .accept, hint: "leave", "leave; devices stay plugged"),
        Binding([.escape, .character("n")], [.quit], .cancel, hint: "stay", "stay"),
        Binding([.control("l")], everywhere, .repaint, "repaint the screen"),
        Binding([.control("z")], everywhere, .suspend, "suspend to the shell; fg comes back"),
    ]

    private static let text: [Binding] = [
        Binding([.enter], [.chooser], .accept, hint: "take", "take this row"),
        Binding([.enter], [.prompt], .accept, hint: "do it", "do it"),
        Binding([.enter], [.help], .accept, "close"),
        Binding([.escape, .control("c")], typing, .cancel, hint: "back", "back"),
        Binding([.tab], [.chooser], .complete, hint: "wire", "other wire: usbredir or USB/IP"),
        Binding([.tab], [.prompt], .complete, hint: "complete", "complete the word"),
        Binding([.up], typing, .up, "up; in a command: older ones"),
        Binding([.down], typing, .down, "down; in a command: newer ones"),
        Binding([.pageUp], typing, .pageUp, "a page up"),
        Binding([.pageDown], typing, .pageDown, "a page down"),
        Binding([.left], typing, .left, "left in the text"),
        Binding([.right], typing, .right, "right in the text"),
        Binding([.home, .control("a")], typing, .toStart, "to the start of the text"),
        Binding([.end, .control("e")], typing, .toEnd, "to the end of the text"),
        Binding([.backspace, .control("h")], typing, .deleteBack, "delete the character before"),
        Binding([.delete], typing, .deleteForward, "delete the character under the cursor"),
        Binding([.control("w")], typing, .deleteWord, "delete the word before"),
        Binding([.control("u")], typing, .clear, "delete the text"),
    ]

    private static let board: [Binding] = [
        Binding([.enter, .character(" ")], [.board], .accept, hint: "press", "press the button for a moment"),
        Binding([.character("h")], [.board], .hold, hint: "hold", "hold the button down, or let go of it"),
        Binding([.character("R")], [.board], .resetChip, hint: "reset chip", "reset the chip, as its reset pin would"),
        Binding([.up, .character("k")], [.board], .up, "the button above"),
        Binding([.down, .character("j")], [.board], .down, "the button below"),
        Binding([.escape, .character("b"), .character("q"), .control("c")], [.board], .cancel, hint: "back", "back"),
    ]

    private static let index: [KeyContext: [Key: Binding]] = {
        var index: [KeyContext: [Key: Binding]] = [:]
        for binding in bindings {
            for context in binding.contexts {
                for key in binding.keys { index[context, default: [:]][key] = binding }
            }
        }
        return index
    }()

    /// What a key does in a context.
    public static func binding(for key: Key, in context: KeyContext) -> Binding? { index[context]?[key] }

    /// The bindings of a context, in the table's order.
    public static func bindings(in context: KeyContext) -> [Binding] {
        bindings.filter { $0.contexts.contains(context) }
    }
}
