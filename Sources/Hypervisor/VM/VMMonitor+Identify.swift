extension VMMonitor {
    /// Reads everything that is asked once for each connection.
    func identify(_ client: QMPClient, peer: Int32?) async throws(QMPError) {
        apply(try await client.execute("query-status"))
        let cpus = try await optional(client, "query-cpus-fast")?.array
        state.cpuCount = cpus?.count
        adoptProcess(ofThread: cpus?.first?["thread-id"]?.int, peer: peer)
        if let sizes = try await optional(client, "query-memory-size-summary"), let base = sizes["base-memory"]?.int {
            let (sum, overflow) = base.addingReportingOverflow(sizes["plugged-memory"]?.int ?? 0)
            state.memory = overflow ? base : sum
        }
        state.accelerator = accelerator(kvm: try await optional(client, "query-kvm"))
        state.startedAt = state.pid.flatMap(ProcessStatus.read)?.startedAt
        state.controllers = try await ControllerDiscovery(client: client).controllers()
        state.guestAgentSocket = try await GuestAgentDiscovery(client: client).socketPath()
    }

    /// A socket made by a manager has that manager as its peer, and a renamed QEMU is not known by its name: then the
    /// process is the one that runs the vCPUs.
    private func adoptProcess(ofThread thread: Int64?, peer: Int32?) {
        guard state.pid == nil, let thread, let pid = QEMUProcess.process(ofThread: thread),
            pid == peer || QEMUProcess.isQEMU(pid: pid)
        else { return }
        state.pid = pid
    }

    private func accelerator(kvm: JSONValue?) -> String? {
        if kvm?["enabled"]?.bool == true { return "kvm" }
        let process = state.pid.flatMap { QEMUProcess(pid: $0) } ?? target.process
        // KVM was asked for and is off: QEMU fell back to the next of the list.
        let named = process?.commandLine.accelerators.first { $0 != "kvm" }
        return printable(named ?? "tcg", limit: 16)
    }

    /// The answer, or nil when this QEMU lacks the command.
    private func optional(_ client: QMPClient, _ command: String) async throws(QMPError) -> JSONValue? {
        do throws(QMPError) {
            return try await client.execute(command)
        } catch {
            guard error.refusal != nil else { throw error }
            return nil
        }
    }

    // MARK: Events

    /// Follows QMP events until the connection ends.
    func consume(_ client: QMPClient) async {
        for await event in client.events {
            await handle(event, client)
        }
    }

    private func handle(_ event: QMPEvent, _ client: QMPClient) async {
        switch event.name {
        case "STOP":
            // Also sent on the way down; the shutdown is the news then.
            if case .shutdown = state.runState { return }
            await changed(to: .paused(reason: "paused"), "paused", client)
        case "RESUME": await changed(to: .running, "resumed", client)
        case "SUSPEND": await changed(to: .paused(reason: "suspended"), "guest suspended", client)
        case "WAKEUP": await changed(to: .running, "guest woke up", client)
        case "SHUTDOWN":
            let reason = printable(event.data["reason"]?.string ?? "unknown reason", limit: 32)
            state.runState = .shutdown(reason: reason)
            state.lastEvent = "shut down (\(reason))"
            publish()
        case "RESET":
            note(event.data["guest"]?.bool == true ? "reset by the guest" : "reset")
        case "POWERDOWN": note("power button pressed")
        case "GUEST_PANICKED": note("guest panicked")
        case "WATCHDOG": note("watchdog expired")
        case "DEVICE_DELETED":
            if let device = event.data["device"]?.string { state.lastEvent = "\(printable(device)) removed" }
            do throws(QMPError) {
                try await refreshControllers(client)
            } catch {
                logger.debug("after DEVICE_DELETED: \(error)")
            }
        default: break
        }
    }

    private func note(_ text: String) {
        state.lastEvent = text
        publish()
    }

    /// Shows the new state at once, then asks for the exact one.
    private func changed(to runState: VMRunState, _ text: String, _ client: QMPClient) async {
        state.runState = runState
        state.lastEvent = text
        publish()
        do throws(QMPError) {
            apply(try await client.execute("query-status"))
            publish()
        } catch {
            logger.debug("after \(text): \(error)")
        }
    }
}
