/// What a guest is made of.
public struct GuestConfiguration: Sendable {
    /// Shown to operators: QEMU's `-name`, the guest's host name and the QMP socket's file name.
    public var name: String
    public var image: GuestImage
    public var controllers: [USBController]
    /// Raised where the image with the extra files needs more.
    public var memoryMiB: Int
    /// None by default: a USB device must not need one.
    public var network: GuestNetwork
    /// Gives the guest QEMU's guest agent; its image needs the package `qemu-guest-agent`.
    public var guestAgent: Bool
    /// Where `<name>.qmp` is made for the engine; by default a directory of the guest's own that holds nothing else.
    public var qmpDirectory: String?
    /// Files put over the base image, such as `/usr/bin/2virt-guest`.
    public var extraFiles: [GuestFile]
    /// Nil picks the best that works (``AcceleratorProbe``).
    public var accelerator: Accelerator?
    public var extraArguments: [String]
    public var extraKernelArguments: [String]
    /// From QEMU's start to the guest's ready message.
    public var bootTimeout: Duration

    public init(
        name: String, image: GuestImage, controllers: [USBController] = [.xhci], memoryMiB: Int = 256,
        network: GuestNetwork = .none, guestAgent: Bool = false,
        qmpDirectory: String? = nil, extraFiles: [GuestFile] = [], accelerator: Accelerator? = nil,
        extraArguments: [String] = [], extraKernelArguments: [String] = [], bootTimeout: Duration = .seconds(90)
    ) {
        self.name = name
        self.image = image
        self.controllers = controllers
        self.memoryMiB = memoryMiB
        self.network = network
        self.guestAgent = guestAgent
        self.qmpDirectory = qmpDirectory
        self.extraFiles = extraFiles
        self.accelerator = accelerator
        self.extraArguments = extraArguments
        self.extraKernelArguments = extraKernelArguments
        self.bootTimeout = bootTimeout
    }

    /// Throws for names that cannot be a host name and a file name, and for sizes the kernel cannot boot in.
    func validate() throws {
        let allowed = name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || byte == 0x2D || byte == 0x5F || byte == 0x2E
        }
        guard allowed, (1...48).contains(name.utf8.count), name.utf8.first != 0x2D, name.utf8.first != 0x2E else {
            throw LabError.configuration(
                "guest name “\(name)”: allowed are 1 to 48 letters, digits, '.', '_', '-', not '.' or '-' first"
            )
        }
        guard (128...16384).contains(memoryMiB) else {
            throw LabError.configuration("guest \(name): memory of \(memoryMiB) MiB; 128 to 16384 is allowed")
        }
        guard !guestAgent || image.contents.packages.contains("qemu-guest-agent") else {
            throw LabError.configuration("guest \(name): its image has no package qemu-guest-agent")
        }
        try network.validate()
        guard !extraKernelArguments.contains(where: { $0.contains("\0") }),
            !extraArguments.contains(where: { $0.contains("\0") })
        else { throw LabError.configuration("guest \(name): an argument contains a NUL") }
    }

    /// With at least the memory that the image needs to unpack itself.
    func withEnoughMemory(initramfs: String) throws -> GuestConfiguration {
        var configuration = self
        configuration.memoryMiB = max(memoryMiB, try image.memoryNeeded(initramfs: initramfs))
        return configuration
    }
}
