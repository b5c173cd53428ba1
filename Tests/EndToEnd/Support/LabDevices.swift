import GuestLab

/// The devices that tests configure; `@` stands for the private directory.
enum LabDevices {
    /// A serial port and a web service in one device.
    static func desk(upstream port: Int) -> String {
        """
        [[device]]
        name = "desk"
        interfaces = [
          { kind = "serial", name = "tty", to = "unix:@/tty.sock" },
          { kind = "web-service", name = "web", upstreams = ["127.0.0.1:\(port)"] },
        ]
        """
    }

    /// One serial port, at one speed or at what the port takes.
    static func serial(_ name: String, speed: String? = nil, extra: String = "") -> String {
        """
        [[device]]
        name = "\(name)"
        \(speed.map { "speed = \"\($0)\"" } ?? "")
        \(extra)
        interfaces = [{ kind = "serial", name = "tty", to = "unix:@/\(name).sock" }]
        """
    }

    /// A microcontroller image in the private directory.
    static func emulated(_ name: String, image: String, board: String, extra: String = "") -> String {
        """
        [[device]]
        name = "\(name)"
        firmware = "@/\(image)"
        board = "\(board)"
        \(extra)
        """
    }
}

extension Guest {
    /// Starts `2virt-guest proxy` and returns when it listens on port 8080.
    func startProxy() async throws {
        try await check(
            """
            rm -f /tmp/proxy.log
            2virt-guest proxy --wait >/tmp/proxy.log 2>&1 &
            tries=0
            until grep -q listening /tmp/proxy.log; do
                tries=$((tries + 1))
                [ $tries -lt 300 ] || { cat /tmp/proxy.log; exit 1; }
                usleep 100000
            done
            """, timeout: .seconds(60))
    }

    func stopProxy() async throws { try await check("killall 2virt-guest; rm -f /tmp/proxy.log") }

    /// Sends random bytes through a port that echoes, in both directions at once.
    func echo(bytes: Int, through port: String = "/dev/ttyACM0", timeout: Duration = .seconds(90)) async throws {
        try await check(
            """
            stty -F \(port) raw -echo
            head -c \(bytes) /dev/urandom >/tmp/out
            # Open throughout: the last close of a terminal forgets what nobody has read.
            exec 7<>\(port)
            head -c \(bytes) <&7 >/tmp/in & cat /tmp/out >&7; wait
            cmp /tmp/in /tmp/out && rm /tmp/in /tmp/out
            """, timeout: timeout)
    }

    /// The kernel's lines about USB since a mark.
    func usbLog(since mark: KernelLogMark) -> [String] {
        kernelLog(since: mark).filter { $0.contains("usb ") || $0.contains("cdc_acm") }
    }

    /// Waits until the kernel has taken a device away.
    func waitForDisconnect(since mark: KernelLogMark, seconds: Int = 30) async throws {
        try await waitForKernelLog(containing: "USB disconnect", since: mark, timeout: .seconds(seconds))
    }
}
