/// Spells QEMU's arguments for a guest.
struct QEMUCommandLine {
    static let program = "qemu-system-x86_64"

    /// What makes Debian's kernel boot quickly under emulation; none of it concerns USB.
    static let kernelArguments = [
        "console=ttyS0", "panic=-1", "cryptomgr.notests", "audit=0", "apparmor=0", "lsm=capability", "tsc=reliable",
        "no_timer_check", "mitigations=off", "random.trust_cpu=on",
    ]

    /// Machine, memory, kernel and the serial console on standard output.
    static func base(image: GuestImage, initramfs: String, memoryMiB: Int, accelerator: Accelerator, kernel: [String])
        -> [String]
    {
        [
            "-machine", "pc", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-smp", "1", "-m", "\(memoryMiB)", "-kernel", image.kernelPath, "-initrd", initramfs,
            "-append", (kernelArguments + kernel).joined(separator: " "),
        ] + accelerator.qemuArguments
    }

    static func arguments(
        for configuration: GuestConfiguration, paths: GuestPaths, accelerator: Accelerator, initramfs: String
    )
        -> [String]
    {
        var arguments = ["-name", configuration.name]
        arguments += base(
            image: configuration.image, initramfs: initramfs, memoryMiB: configuration.memoryMiB,
            accelerator: accelerator,
            kernel: ["\(GuestScripts.nameArgument)=\(configuration.name)"] + configuration.network.kernelArguments
                + configuration.extraKernelArguments)
        arguments += configuration.network.qemuArguments
        // QEMU connects to the sockets the lab listens on, so that no one has to guess when QEMU's own exist.
        arguments += [
            "-chardev", "stdio,id=lab-serial,signal=off,mux=off,logfile=\(escape(paths.kernelLog))",
            "-serial", "chardev:lab-serial",
            "-chardev", "socket,id=lab-monitor,path=\(escape(paths.monitor))", "-mon", "lab-monitor,mode=control",
            "-qmp", "unix:\(escape(paths.engineQMP)),server=on,wait=off",
            "-device", "virtio-serial-pci,id=lab-ports",
            "-chardev", "socket,id=lab-shell,path=\(escape(paths.shell)),server=on,wait=off",
            "-device", "virtconsole,bus=lab-ports.0,nr=0,chardev=lab-shell",
            "-chardev", "socket,id=lab-command,path=\(escape(paths.command))",
            "-device", "virtserialport,bus=lab-ports.0,nr=1,chardev=lab-command,name=\(GuestScripts.commandPort)",
        ]
        if configuration.guestAgent {
            arguments += [
                "-chardev", "socket,id=lab-guest-agent,path=\(escape(paths.guestAgent)),server=on,wait=off",
                "-device",
                "virtserialport,bus=lab-ports.0,nr=2,chardev=lab-guest-agent,name=\(GuestScripts.agentPort)",
            ]
        }
        var seen: Set<USBController> = []
        for controller in configuration.controllers where seen.insert(controller).inserted {
            arguments += controller.deviceOptions.flatMap { ["-device", $0] }
        }
        return arguments + configuration.extraArguments
    }

    /// In an option list a comma ends a value unless it is doubled.
    static func escape(_ value: String) -> String {
        value.split(separator: ",", omittingEmptySubsequences: false).joined(separator: ",,")
    }
}
