import ControlProtocol

/// The third pane while a VM, and no device, is selected: what is known about the VM.
extension Screen {
    mutating func drawPlaceDetail() {
        guard case .vm(let id) = model.place, let vm = model.shown.vm(id) else {
            let inside = pane(.traffic, title: paneTitle(.traffic, "Unplugged devices"))
            lines(shelfLines(inside.width), inside)
            return
        }
        let inside = pane(.traffic, title: paneTitle(.traffic, "VM " + Fit.cut(vm.name, 24)))
        lines(vmLines(vm, inside.width), inside)
    }

    private func shelfLines(_ width: Int) -> [StyledText] {
        let devices = model.shown.devices(at: .shelf)
        if model.shown.vms.isEmpty { return model.noVMs(width) }
        guard !devices.isEmpty else { return [StyledText(" every device is plugged", .dim)] }
        var lines = [StyledText(" p plugs a device into a VM", .dim), StyledText("")]
        for device in devices {
            let word = device.stateWord
            var line = StyledText(" \(word.glyph) ", word.role)
            line.column(device.name, 18, .left, .title)
            // One that a client has imported is here too, since it is in no VM.
            let holder = device.state == .imported ? model.note(device) : nil
            line.add(
                " " + (device.trouble ?? holder ?? device.interfaces.map(\.title).joined(separator: ", ")),
                device.trouble == nil ? .dim : .bad)
            lines.append(line)
        }
        return lines
    }

    private func vmLines(_ vm: VMSnapshot, _ width: Int) -> [StyledText] {
        var lines: [StyledText] = []
        func fact(_ name: String, _ value: String?, _ role: StyleRole = .text) {
            guard let value, !value.isEmpty else { return }
            var line = StyledText(" ")
            line.column(name, 12, .left, .dim)
            line.add(value, role)
            lines.append(line)
        }
        let word = vm.stateWord
        fact(
            "state",
            "\(word.glyph) \(word.word) since \(model.clock(vm.since)) (\(Format.duration(model.age(vm.since))))",
            word.role)
        fact("reason", vm.reason, word.role == .good ? .dim : word.role)
        for fault in model.shown.faults(about: .vm(vm.id)) {
            for (index, text) in Fit.wrap(fault.message, max(1, width - 14), lines: 3).enumerated() {
                fact(index == 0 ? "! fault" : "", text, .bad)
            }
        }
        let rate = model.rate(.vm(vm.id))
        fact("traffic", "in \(Format.rate(rate.bytesIn))  out \(Format.rate(rate.bytesOut))")
        fact("machine", machine(vm))
        fact("up", vm.startedAt.map { Format.duration(model.now - $0) })
        fact("hypervisor", [vm.hypervisor, vm.pid.map { "pid \($0)" }].compactMap { $0 }.joined(separator: ", "))
        fact("found by", vm.source)
        fact("USB/IP", vm.attachWay.map { $0 == .watch ? "by its 2virt-guest watch" : "by its guest agent" })
        // The ports of a VM that is gone say nothing, and a guest of another host shows none.
        if vm.state != .lost, vm.source != "watch" { lines += [StyledText("")] + controllerLines(vm) }
        return lines
    }

    private func machine(_ vm: VMSnapshot) -> String {
        var parts: [String] = []
        if let accelerator = vm.accelerator { parts.append(accelerator) }
        if let vcpus = vm.vcpus { parts.append(Format.plural(vcpus, "vCPU")) }
        if let memory = vm.memoryBytes { parts.append("\(Format.bytes(Double(memory))) memory") }
        if let cpu = vm.cpuPercent { parts.append("CPU \(Format.tenths(cpu)) %") }
        return parts.joined(separator: ", ")
    }

    private func controllerLines(_ vm: VMSnapshot) -> [StyledText] {
        guard !vm.controllers.isEmpty else {
            return [
                StyledText(" no USB controller: nothing can be plugged here", .warn),
                StyledText(" add one to the VM: -device qemu-xhci", .dim),
            ]
        }
        return vm.controllers.flatMap { controller -> [StyledText] in
            let isFull = controller.freePorts <= 0
            var head = StyledText(" \(controller.id)", .title)
            head.add("  \(controller.model)  ", .dim)
            head.add("\(controller.freePorts) of \(controller.ports) ports free", isFull ? .warn : .good)
            head.add("  \(controller.speeds.joined(separator: " "))", .dim)
            let attached = vm.attached.filter { $0.controller == controller.id }.map { attached -> StyledText in
                var line = StyledText("   port ", .dim)
                line.column(attached.port, 5, .left)
                line.add(attached.device ?? attached.product, attached.device == nil ? .dim : .text)
                line.add(attached.device == nil ? "  not ours" : "  \(attached.product)", .dim)
                return line
            }
            return [head] + attached
        }
    }
}

extension ConsoleModel {
    /// What to do where no VM was found.
    func noVMs(_ width: Int) -> [StyledText] {
        let file = shown.snapshot?.engine.configuration ?? "the configuration (there is none yet)"
        let advice = "VMs are found by the [[vms]] tables of \(file). They appear here by themselves when they start."
        return [StyledText(" no VMs found", .warn)]
            + Fit.wrap(advice, max(1, width - 2), lines: 5).map { StyledText(" " + $0, .dim) }
    }
}
