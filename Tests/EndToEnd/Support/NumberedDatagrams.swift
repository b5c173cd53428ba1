import GuestLab

/// Numbered UDP datagrams from one guest to another, whose receiver tells each that is missing or out of its place.
///
/// The receiver's acknowledgements, one for 1,000, keep at most 10,000 datagrams in its kernel, which has room for so many:
/// they do not slow the network, which has far less.
struct NumberedDatagrams {
    let count: Int

    /// What the receiver counted, and what the guests' kernels say they have dropped themselves meanwhile.
    struct Report {
        var text: String
        var received: Int
        var missing: Int
        /// Datagrams that did not follow the one before them.
        var misplaced: Int
        var droppedByGuests: Int
    }

    func send(from source: GuestLink, to target: GuestLink) async throws -> Report {
        let before = [try await source.kernelDrops(), try await target.kernelDrops()]
        let text = try await exchange(from: source, to: target)
        let after = [try await source.kernelDrops(), try await target.kernelDrops()]
        guard let match = text.firstMatch(of: /received ([0-9]+), missing ([0-9]+), misplaced ([0-9]+)/),
            let received = Int(match.1), let missing = Int(match.2), let misplaced = Int(match.3)
        else { throw LabEnvironment.Failure(description: "the receiver: \(text)") }
        let dropped = after.joined().reduce(0, +) - before.joined().reduce(0, +)
        return Report(
            text: "\(text); drops of the guests' kernels before \(before) and after \(after)", received: received,
            missing: missing, misplaced: misplaced, droppedByGuests: dropped)
    }

    private func exchange(from source: GuestLink, to target: GuestLink) async throws -> String {
        let timeout = Duration.seconds(60 + count / 1000)
        try await target.guest.check(
            """
            echo 67108864 >/proc/sys/net/core/rmem_max
            echo 20000 >/proc/sys/net/core/netdev_max_backlog
            rm -f /tmp/ready
            """)
        async let report = target.guest.check("perl -e '\(receiver(target.address))'", timeout: timeout)
        try await target.guest.check("until [ -e /tmp/ready ]; do usleep 20000; done")
        try await source.guest.check("perl -e '\(sender(target.address))'", timeout: timeout)
        return try await report
    }

    private func sender(_ address: String) -> String {
        """
        use Socket;
        socket(S, PF_INET, SOCK_DGRAM, 0) or die $!;
        connect(S, pack_sockaddr_in(5000, inet_aton("\(address)"))) or die $!;
        $acknowledged = 0;
        for ($i = 1; $i <= \(count); $i++) {
            while ($i - $acknowledged > 10000) {
                alarm 30;
                defined recv(S, $answer, 4, 0) or die "no acknowledgement after $acknowledged: $!";
                $acknowledged = unpack("N", $answer);
            }
            alarm 0;
            defined send(S, pack("N a56", $i, ""), 0) or die "datagram $i: $!";
        }
        """
    }

    private func receiver(_ address: String) -> String {
        """
        use Socket;
        socket(S, PF_INET, SOCK_DGRAM, 0) or die $!;
        setsockopt(S, SOL_SOCKET, SO_RCVBUF, 33554432) or die $!;
        bind(S, pack_sockaddr_in(5000, inet_aton("\(address)"))) or die $!;
        open(R, ">", "/tmp/ready") or die $!;
        close(R);
        $SIG{ALRM} = sub { report(); exit 0 };
        sub report { printf "received %d, missing %d, misplaced %d\\n", $got, \(count) - $got, $wrong + 0; }
        $got = 0;
        $next = 1;
        alarm 20;
        while ($got < \(count)) {
            $from = recv(S, $data, 2048, 0);
            $i = unpack("N", $data);
            $wrong++ if $i != $next;
            $next = $i + 1;
            $got++;
            if ($got % 1000 == 0) { alarm 20; send(S, pack("N", $i), 0, $from); }
        }
        report();
        """
    }
}

extension GuestLink {
    /// What the guest's own kernel has dropped: the driver on the way out and in, the processor's backlog, and UDP (errors
    /// of input, and of a full queue on the way out).
    fileprivate func kernelDrops() async throws -> [Int] {
        let text = try await guest.check(
            """
            cd /sys/class/net/\(name)/statistics
            read -r taken backlog rest </proc/net/softnet_stat
            grep ^Udp: /proc/net/snmp | tail -n 1 | {
                read -r title datagrams ports errors out full unsent rest
                echo $(cat tx_dropped) $(cat rx_dropped) $((0x$backlog)) $errors $unsent
            }
            """)
        let numbers = text.split(separator: " ").compactMap { Int($0) }
        guard numbers.count == 5 else { throw LabEnvironment.Failure(description: "no counters of drops: \(text)") }
        return numbers
    }
}
