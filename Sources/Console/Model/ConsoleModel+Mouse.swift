/// The mouse: a click focuses and selects, the wheel moves the selection.
extension ConsoleModel {
    mutating func click(_ mouse: Mouse) -> [ConsoleEffect] {
        armed = nil
        guard case .panes = mode else {
            switch mouse.action {
            case .wheelUp: return performInMode(.up)
            case .wheelDown: return performInMode(.down)
            case .press, .release: return []
            }
        }
        guard let pane = layout.panes.first(where: { $0.value.contains(mouse.column, mouse.row) })?.key else {
            return []
        }
        switch mouse.action {
        case .release: break
        case .wheelUp, .wheelDown:
            setFocus(pane)
            move(by: mouse.action == .wheelUp ? -3 : 3)
        case .press(let button):
            guard button == 1 else { return [] }
            setFocus(pane)
            let list = listRect(pane)
            guard list.contains(mouse.column, mouse.row) else { return [] }
            let rows = rowIDs(pane)
            let index = (positions[pane]?.offset ?? 0) + mouse.row - list.row
            if rows.indices.contains(index) { select(rows[index], in: pane) }
        }
        return []
    }
}
