import GuestLab

/// Network transfer blocks whose numbers are wrong, and a good one behind them, sent past the driver by usbfs.
enum LyingBlocks {
    /// Blocks that are wrong.
    static let count = 8

    /// Takes the interface from cdc_ncm, sends, and gives it back; each transfer must be taken.
    static func send(from guest: Guest, serial: String) async throws {
        try await guest.check(
            """
            set -e
            place=$(dirname $(grep -lx \(serial) /sys/bus/usb/devices/*/serial))
            port=${place##*/}
            node=$(printf /dev/bus/usb/%03d/%03d $(cat $place/busnum) $(cat $place/devnum))
            echo $port:1.0 >/sys/bus/usb/drivers/cdc_ncm/unbind
            perl -e '\(program)' $node
            echo $port:1.0 >/sys/bus/usb/drivers/cdc_ncm/bind
            """, timeout: .seconds(60))
    }

    private static let program = """
        open(F, "+<", $ARGV[0]) or die $!;
        sub request { my ($code, $data) = @_; ioctl(F, $code, $data) or die "request $code: $!"; }
        # CLAIMINTERFACE, SETINTERFACE, BULK.
        request(0x8004550F, pack("I", 1));
        request(0x80085504, pack("II", 1, 1));
        sub out { my $block = $_[0]; request(0xC0185502, pack("IIIx4P", 1, length $block, 2000, $block)); }
        # Header, table with one entry and its end, frame.
        sub block {
            my ($length, $table, $size, $next, $start, $bytes) = @_;
            return pack("a4vvvv a4vvvvvv a64", "NCMH", 12, 1, $length, $table, "NCM0", $size, $next, $start, $bytes,
                0, 0, "\\xff" x 6 . "\\x02\\x00\\x00\\x00\\x00\\x09" . "\\x88\\xb5" . "x" x 50);
        }
        # No block; a length beyond the transfer; a table beyond the block, in its own header, and longer than the
        # block; a table that is its own successor; a frame beyond the block, and longer than any frame.
        out("garbage");
        out(block(60000, 12, 16, 0, 28, 60));
        out(block(92, 40000, 16, 0, 28, 60));
        out(block(92, 4, 16, 0, 28, 60));
        out(block(92, 12, 60000, 0, 28, 60));
        out(block(92, 12, 16, 12, 28, 0));
        out(block(92, 12, 16, 0, 60000, 60));
        out(block(92, 12, 16, 0, 28, 65000));
        out(block(92, 12, 16, 0, 28, 60));
        """
}
