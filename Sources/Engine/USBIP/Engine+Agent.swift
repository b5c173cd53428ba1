import Hypervisor

/// Attaching by the QEMU guest agent.
extension Engine {
    /// Has the guest attach a device: with 2virt-guest, or with the usbip tool where that is missing.
    ///
    /// - Returns: why it could not; nil when the guest's kernel has it.
    func attachByAgent(_ agent: GuestAgent, _ record: DeviceRecord, isBooting: Bool) async -> String? {
        guard let endpoint = guestEndpoint else {
            return "no listener is on TCP, so that a guest cannot reach one: see [usbip] listen"
        }
        if isBooting { await awaitAgent(agent) }
        let busID = "1-\(record.busNumber)"
        do throws(GuestAgentError) {
            let result = try await agent.run(
                "2virt-guest", ["attach", endpoint.address, busID], endWithin: settings.agentSeconds)
            return result.isSuccess ? nil : "2virt-guest attach: \(Self.words(result))"
        } catch {
            guard error.isMissingProgram else {
                return "\(error); type in the guest: \(attachLine(record))"
            }
        }
        do throws(GuestAgentError) {
            // A kernel that has it built in has no module of that name; the tool then says what is missing.
            _ = try await agent.run("modprobe", ["vhci-hcd"], endWithin: settings.agentSeconds)
            let result = try await agent.run(
                "usbip", ["--tcp-port", "\(endpoint.port)", "attach", "-r", endpoint.host, "-b", busID],
                endWithin: settings.agentSeconds)
            return result.isSuccess ? nil : "usbip attach: \(Self.words(result))"
        } catch {
            return error.isMissingProgram
                ? "it has neither 2virt-guest nor the usbip tool; type in the guest: \(attachLine(record))"
                : error.description
        }
    }

    /// A guest that starts has no agent at first.
    private func awaitAgent(_ agent: GuestAgent) async {
        let deadline = ContinuousClock.now + .seconds(settings.agentBootSeconds)
        while !isShuttingDown, ContinuousClock.now < deadline {
            if await agent.isAnswering(within: 2) { return }
            do { try await Task.sleep(for: .seconds(2)) } catch { return }
        }
    }

    private static func words(_ result: GuestProgramResult) -> String {
        let code = result.exitCode.map { "exit code \($0)" } ?? "ended by a signal"
        return result.output.isEmpty ? code : "\(result.output) (\(code))"
    }
}
