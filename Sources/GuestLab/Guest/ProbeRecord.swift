import Foundation

/// A remembered probe result and the conditions it holds under.
struct ProbeRecord: Codable, Equatable, Sendable {
    /// QEMU version, guest image, the host's boot id and whether `/dev/kvm` can be opened.
    let conditions: [String]
    let choice: AcceleratorChoice

    private static let largestFile = 64 << 10

    /// The choice in a file's bytes if it was made under the same conditions; anything else means probing again.
    static func choice(in bytes: Data?, under conditions: [String]) -> AcceleratorChoice? {
        guard let bytes, bytes.count <= largestFile,
            let record = try? JSONDecoder().decode(ProbeRecord.self, from: bytes),
            record.conditions == conditions
        else { return nil }
        return record.choice
    }
}
