/// What an image carries beside busybox and the modules every image has.
///
/// Images are cached by it: two tests that ask for the same contents share one image.
///
/// ```swift
/// let contents = GuestContents(packages: ["usbip", "alsa-utils"], modules: ["uvcvideo"])
/// let image = try await GuestImageBuilder().build(contents)
/// ```
public struct GuestContents: Sendable, Hashable {
    /// Debian packages by name; they come with all they depend on, unpacked and not configured: maintainer scripts do
    /// not run, so no users, no alternatives and no services are made.
    ///
    /// `perl`, `python3` and what only maintainer scripts use (``PackageSet/leftOut``) come when named here.
    public let packages: [String]
    /// Kernel modules by name, loaded on demand by their aliases or by `modprobe`.
    public let modules: [String]

    public static let base = GuestContents()

    public init(packages: [String] = [], modules: [String] = []) {
        self.packages = Set(packages).sorted()
        self.modules = Set(modules).sorted()
    }

    /// Throws for what cannot be the name of a package or module and might be read as an option or a path.
    func validate() throws {
        for name in packages {
            // Debian Policy 5.6.1: lower-case letters, digits, plus, minus, full stop; an alphanumeric first.
            let allowed = name.utf8.allSatisfy { byte in
                Self.isLowerOrDigit(byte) || byte == 0x2B || byte == 0x2D || byte == 0x2E
            }
            guard allowed, name.utf8.count >= 2, let first = name.utf8.first, Self.isLowerOrDigit(first) else {
                throw LabError.configuration("“\(name)” is not the name of a Debian package")
            }
        }
        for name in modules {
            guard !name.isEmpty, !name.hasPrefix("-"),
                name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "_-".contains($0)) })
            else { throw LabError.configuration("“\(name)” is not the name of a kernel module") }
        }
    }

    private static func isLowerOrDigit(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
    }
}
