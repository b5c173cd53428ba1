/// What a guest is made of.
public struct GuestConfiguration: Sendable {
    /// Shown to operators: QEMU's `-name`, the guest's host name and the QMP socket's file name.
    public var name: String
    public var image: GuestImage
    public var controllers: [USBController]
    public var memoryMiB: Int
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
        qmpDirectory: String? = nil, extraFiles: [GuestFile] = [], accelerator: Accelerator? = nil,
        extraArguments: [String] = [], extraKernelArguments: [String] = [], bootTimeout: Duration = .seconds(90)
    ) {
        self.name = name
        self.image = image
        self.controllers = controllers
        self.memoryMiB = memoryMiB
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
        guard !extraKernelArguments.contains(where: { $0.contains("\0") }),
            !extraArguments.contains(where: { $0.contains("\0") })
        else { throw LabError.configuration("guest \(name): an argument contains a NUL") }
    }
}
