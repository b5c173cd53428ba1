// swift-tools-version: 6.1
import PackageDescription

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]

// FUZZ=1 adds coverage for libFuzzer to what is fuzzed, and the fuzzer itself.
let isFuzzing = Context.environment["FUZZ"] != nil
let fuzzed: [SwiftSetting] = isFuzzing ? [.unsafeFlags(["-sanitize=fuzzer", "-O"])] : []
let fuzzers: [Target] =
    isFuzzing
    ? [
        ("FuzzUSBRedirection", "RedirectionTestKit"), ("FuzzUSBIPSession", "USBIPTestKit"),
        ("FuzzUSBIPOperations", "USBIPTestKit"), ("FuzzFirmwareImages", "FirmwareTestKit"),
    ].map { name, kit in
        .executableTarget(
            name: name, dependencies: ["FuzzKit", .init(stringLiteral: kit)],
            swiftSettings: [.unsafeFlags(["-sanitize=fuzzer", "-parse-as-library"])],
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])])
    } + [.target(name: "FuzzKit")] : []

let package = Package(
    name: "2virt",
    products: [
        .executable(name: "2virt", targets: ["TwoVirt"]),
        .executable(name: "2virt-guest", targets: ["GuestClient"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    ],
    targets: [
        // Pure layers: no I/O, no event loops.
        .target(name: "USBCore"),
        .target(name: "USBClasses", dependencies: ["USBCore"]),
        .target(
            name: "USBDevice", dependencies: ["USBCore", .product(name: "DequeModule", package: "swift-collections")]),
        .target(name: "Traffic", dependencies: ["USBCore", "USBDevice", "ControlProtocol"]),
        .target(name: "ControlProtocol"),
        .target(name: "Console", dependencies: ["ControlProtocol"]),

        // How services are called, read from their WSDL or OpenAPI documents.
        .systemLibrary(name: "CLibYAML"),
        .target(name: "ServiceContracts", dependencies: ["CLibYAML"]),

        // Devices and wires.
        .target(
            name: "SimulatedFirmware",
            dependencies: [
                "USBDevice", "USBClasses", "ServiceContracts",
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Logging", package: "swift-log"),
            ] + nio),
        .target(
            name: "USBRedirection",
            dependencies: ["USBDevice", .product(name: "Logging", package: "swift-log")] + nio, swiftSettings: fuzzed),
        // Both directions of USB/IP, for exporter, clients and tests; free of Foundation, so that a static client is small.
        .target(
            name: "USBIPCodec", dependencies: ["USBCore", .product(name: "NIOCore", package: "swift-nio")],
            swiftSettings: fuzzed),
        .target(
            name: "USBIP",
            dependencies: [
                "USBIPCodec", "USBDevice",
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Logging", package: "swift-log"),
            ] + nio, swiftSettings: fuzzed),
        // A guest's end of a link and a small device, for tests and benchmarks.
        .target(
            name: "RedirectionTestKit",
            dependencies: [
                "USBRedirection", "USBDevice", .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ] + nio, swiftSettings: fuzzed),
        // Microcontroller images on emulated chips: pure, the sockets are elsewhere.
        .target(
            name: "FirmwareEmulator",
            dependencies: ["USBCore", "USBDevice", .product(name: "DequeModule", package: "swift-collections")],
            // A machine is in one turn at a time: checks of exclusive access cost a fifth of an idle one's time. Debug
            // builds, and so all tests, have them; but firmware that meets a guest must keep the guest's time there, too.
            swiftSettings: [
                .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
                .unsafeFlags(["-O"], .when(configuration: .debug)),
            ] + fuzzed),
        // Images of our own for emulated chips; their sources are for another processor, and `Firmware/build` compiles them.
        .target(name: "ReferenceFirmware", exclude: ["Firmware"], resources: [.embedInCode("Images")]),
        // An importer that holds an exporter to its promises, and a device that does as a test says.
        .target(
            name: "USBIPTestKit",
            dependencies: [
                "USBIP", "USBIPCodec", "USBDevice", .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ] + nio, swiftSettings: fuzzed),
        .target(
            name: "Hypervisor",
            dependencies: [.product(name: "Logging", package: "swift-log")] + nio),

        // The control socket: where it is and who may be behind it; and the client's end of it.
        .target(
            name: "ControlSocket", dependencies: ["ControlProtocol", .product(name: "NIOCore", package: "swift-nio")]),
        .target(name: "CSpawn"),
        .target(name: "ControlClient", dependencies: ["ControlProtocol", "ControlSocket", "CSpawn"] + nio),

        // The engine, and what shows it.
        .target(
            name: "Engine",
            dependencies: [
                "USBDevice", "USBClasses", "SimulatedFirmware", "FirmwareEmulator", "USBRedirection", "USBIP",
                "Hypervisor", "Traffic",
                "ControlProtocol", "ControlSocket",
                "TOMLKit",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
            ] + nio),
        .target(
            name: "CTerminal",
            linkerSettings: [.linkedLibrary("ncursesw"), .linkedLibrary("tinfo")]),
        .target(name: "Terminal", dependencies: ["Console", "CTerminal"]),
        .target(name: "CGuestLab"),
        .target(
            name: "GuestLab",
            dependencies: ["CGuestLab", .product(name: "NIOFoundationCompat", package: "swift-nio")] + nio),
        // What `2virt bench` measures, and the C ends that it measures against.
        .target(name: "CWireBench"),
        .target(
            name: "Benchmarks",
            dependencies: [
                "CWireBench", "USBCore", "USBDevice", "USBIP", "USBIPCodec", "USBRedirection", "Traffic", "Engine",
                "ControlProtocol", "ControlClient", "GuestLab", "FirmwareEmulator", "ReferenceFirmware", "UnicornPeer",
                .product(name: "Logging", package: "swift-log"),
            ] + nio),
        .executableTarget(
            name: "TwoVirt",
            dependencies: [
                "Benchmarks", "Engine", "FirmwareEmulator", "Console", "Terminal", "CTerminal", "GuestLab",
                "ControlProtocol",
                "ControlSocket", "ControlClient",
                "TOMLKit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ] + nio),

        // Runs inside a guest.
        .target(name: "CUSBFS"),
        .target(
            name: "GuestClientKit",
            dependencies: [
                "CUSBFS", "USBIPCodec",
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ] + nio),
        // A guest may have no libraries at all: the client is linked fully static. ArgumentParser brings in
        // FoundationEssentials, whose static archive needs the three libraries named after it.
        .executableTarget(
            name: "GuestClient",
            dependencies: [
                "GuestClientKit", "CUSBFS",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            exclude: ["2virt-guest.1"],
            linkerSettings: [
                .unsafeFlags(
                    [
                        "-static-executable", "-use-ld=lld", "-l_FoundationCollections", "-l_FoundationCShims",
                        "-lswiftSynchronization",
                    ], .when(platforms: [.linux]))
            ]),

        .target(name: "FakeEngine", dependencies: ["ControlProtocol"] + nio, path: "Tests/FakeEngine"),
        .executableTarget(
            name: "ScreenProbe", dependencies: ["Terminal", "CTerminal", "Console"], path: "Tests/ScreenProbe"),
        .target(name: "TerminalTestKit", dependencies: ["CSpawn"], path: "Tests/TerminalTestKit"),
        // Where tests put their files and sockets.
        .target(name: "TestDirectory", path: "Tests/TestDirectory"),
        .testTarget(
            name: "TerminalTests",
            dependencies: [
                "Terminal", "CTerminal", "Console", "ControlProtocol", "ControlClient", "CSpawn", "FakeEngine",
                "TwoVirt", "ScreenProbe", "TerminalTestKit", "TestDirectory",
            ]),
        .testTarget(name: "BenchmarksTests", dependencies: ["Benchmarks"]),
        // Real guests, the built `2virt` and `2virt-guest`, tmux. Not a dependency: the guest client, whose linker
        // settings a test bundle must not inherit; `swift build` and `swift test` build it as a product.
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "TerminalTestKit", "TestDirectory", "GuestLab", "ControlClient", "ControlProtocol", "TwoVirt", "USBIP",
                "USBDevice", "USBCore", "SimulatedFirmware", "AudioTestKit", "FirmwareTestKit", "ReferenceFirmware",
                .product(name: "Logging", package: "swift-log"),
            ] + nio,
            path: "Tests/EndToEnd"),
        .testTarget(name: "TwoVirtTests", dependencies: ["TwoVirt", "Console", "ControlProtocol"]),
        .testTarget(
            name: "ControlClientTests",
            dependencies: ["ControlClient", "ControlSocket", "ControlProtocol", "FakeEngine", "TestDirectory"] + nio),
        .testTarget(
            name: "GuestClientTests",
            dependencies: [
                "GuestClientKit", "TerminalTestKit", "TestDirectory",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
            ] + nio),
        .testTarget(
            name: "HypervisorTests",
            dependencies: [
                "Hypervisor", "TestDirectory", .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
            ] + nio),
        .testTarget(
            name: "USBRedirectionTests",
            dependencies: [
                "USBRedirection", "TestDirectory", "RedirectionTestKit", "USBDevice", "Hypervisor", "SimulatedFirmware",
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ] + nio),
        // Checks what was recorded from a microphone, for tests.
        .target(name: "AudioTestKit", dependencies: ["SimulatedFirmware"], path: "Tests/AudioTestKit"),
        .testTarget(
            name: "USBIPTests",
            dependencies: [
                "USBIP", "TestDirectory", "USBIPCodec", "USBIPTestKit", "USBDevice",
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Logging", package: "swift-log"),
            ] + nio),
        .target(name: "SnapshotFixtures", dependencies: ["ControlProtocol"], path: "Tests/SnapshotFixtures"),
        .testTarget(
            name: "ConsoleTests", dependencies: ["Console", "ControlProtocol", "SnapshotFixtures"], exclude: ["Golden"]),
        .testTarget(
            name: "EngineTests",
            dependencies: [
                "Engine", "TestDirectory", "Hypervisor", "USBRedirection", "RedirectionTestKit", "USBIP", "USBIPCodec",
                "USBCore",
                "ControlProtocol", "ControlSocket",
                .product(name: "Logging", package: "swift-log"),
            ] + nio),
        .testTarget(name: "ServiceContractsTests", dependencies: ["ServiceContracts"]),
        .testTarget(name: "USBCoreTests", dependencies: ["USBCore"]),
        // Images to test with: ours, compiled on the spot, and a shipped one.
        .target(
            name: "FirmwareTestKit", dependencies: ["FirmwareEmulator", "USBCore"], path: "Tests/FirmwareTestKit",
            exclude: ["Firmware"]),
        // Our CPU against Unicorn, which is loaded at run time.
        .target(name: "UnicornPeer"),
        .target(
            name: "CPUDifferential", dependencies: ["FirmwareEmulator", "UnicornPeer"], path: "Tests/CPUDifferential"),
        .testTarget(
            name: "FirmwareEmulatorTests",
            dependencies: [
                "FirmwareEmulator", "FirmwareTestKit", "ReferenceFirmware", "CPUDifferential", "USBCore", "USBDevice",
            ],
            exclude: ["CPU/Programs"]),
        .testTarget(name: "GuestLabTests", dependencies: ["GuestLab"]),
        .testTarget(name: "USBDeviceTests", dependencies: ["USBDevice"]),
        .testTarget(name: "TrafficTests", dependencies: ["Traffic"]),
        .testTarget(name: "USBClassesTests", dependencies: ["USBClasses"]),
        .testTarget(
            name: "SimulatedFirmwareTests",
            dependencies: [
                "SimulatedFirmware", "AudioTestKit", .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"), .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ] + nio),
    ] + fuzzers
)
