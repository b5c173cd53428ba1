import ControlSocket
import Testing

@Suite("Engine paths")
struct EnginePathsTests {
    private func paths(_ environment: [String: String], runUser: Bool = false) -> EnginePaths {
        EnginePaths(environment: environment, userID: 1000, home: "/home/op", isDirectory: { _ in runUser })
    }

    @Test func xdgDirectoriesAreUsed() {
        let paths = paths([
            "XDG_RUNTIME_DIR": "/run/x", "XDG_CONFIG_HOME": "/cfg/", "XDG_STATE_HOME": "/state", "HOME": "/root",
        ])
        #expect(paths.socket() == "/run/x/2virt/engine.sock")
        #expect(paths.configurationFile == "/cfg/2virt/config.toml")
        #expect(paths.engineLog == "/state/2virt/engine.log")
    }

    @Test func relativeAndEmptyValuesAreIgnored() {
        let paths = paths(["XDG_RUNTIME_DIR": "run", "XDG_CONFIG_HOME": "", "HOME": "here"])
        #expect(paths.socket() == "/tmp/2virt-1000/engine.sock")
        #expect(paths.configurationFile == "/home/op/.config/2virt/config.toml")
        #expect(paths.stateDirectory == "/home/op/.local/state/2virt")
    }

    @Test func withoutRuntimeDirectoryTheUsersOwnIsUsed() {
        #expect(paths([:], runUser: true).socket() == "/run/user/1000/2virt/engine.sock")
        #expect(paths(["TMPDIR": "/var/tmp/"]).socket() == "/var/tmp/2virt-1000/engine.sock")
    }

    @Test func optionBeatsConfigurationBeatsDefault() {
        let paths = paths(["XDG_RUNTIME_DIR": "/run/x"])
        #expect(paths.socket(option: "/o", configured: "/c") == "/o")
        #expect(paths.socket(configured: "/c") == "/c")
    }
}
