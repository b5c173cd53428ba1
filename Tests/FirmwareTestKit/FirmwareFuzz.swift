import FirmwareEmulator
import USBCore

/// One fuzz input as a firmware image: it is refused with a reason, or loaded, run and used for a little virtual time.
public enum FirmwareFuzz {
    /// Virtual milliseconds that an image may run.
    private static let time: UInt64 = 20

    /// - Returns: what was violated, nil when all is well. A trap is the worst violation and needs no words.
    public static func run(_ input: some Collection<UInt8>) -> String? {
        let bytes = Array(input)
        let image: FirmwareImage
        do { image = try ImageLoader.load(bytes) } catch {
            return error.reason.isEmpty ? "refused without a reason" : nil
        }
        for segment in image.segments where segment.end > 1 << 32 {
            return "a segment ends at \(segment.end)"
        }
        guard image.byteCount <= ImageLoader.maximumLoadedSize else { return "\(image.byteCount) bytes were loaded" }
        let board = board(for: image, bytes)
        let probe: FirmwareProbe
        do { probe = try FirmwareProbe(image: image, board: board) } catch {
            return error.reason.isEmpty ? "does not fit, without a reason" : nil
        }
        guard probe.enumerate(milliseconds: time) != nil else {
            return probe.failure.isEmpty ? "no device, and no reason" : nil
        }
        // Some use of what enumerated.
        probe.connect()
        let descriptor = SetupPacket(
            requestType: RequestType(.in, .standard, .device), request: 6, value: 0x0100, length: 18)
        let configure = SetupPacket(requestType: RequestType(.out, .standard, .device), request: 9, value: 1)
        for (id, setup) in [descriptor, configure].enumerated() {
            if let completion = probe.perform(.control(UInt64(id + 1), setup), milliseconds: 5),
                completion.data.count > setup.length
            {
                return "\(completion.data.count) bytes for a request of \(setup.length)"
            }
        }
        if let data = probe.perform(.in(9, 1, length: 64), milliseconds: 5)?.data, data.count > 64 {
            return "\(data.count) bytes for a transfer of 64"
        }
        return nil
    }

    /// The chip that the image names, else one that its last byte chooses: each is tried by some mutation.
    private static func board(for image: FirmwareImage, _ bytes: [UInt8]) -> Board {
        if case .chip(let name)? = image.hint, let board = Board.named(name) { return board }
        return Board.all[Int(bytes.last ?? 0) % Board.all.count]
    }
}
