import ControlSocket
import Foundation
import TestDirectory
import Testing

@Suite("Socket directory")
struct SocketDirectoryTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test func aMissingDirectoryIsMadeForTheUserAlone() throws {
        let socket = directory.path + "/a/b/engine.sock"
        #expect(throws: ControlSocketError.missing(directory: directory.path + "/a/b")) {
            try SocketDirectory.check(socket: socket)
        }
        try SocketDirectory.prepare(forSocket: socket)
        try SocketDirectory.check(socket: socket)
        let mode = try FileManager.default.attributesOfItem(atPath: directory.path + "/a/b")[.posixPermissions]
        #expect(mode as? Int == 0o700)
    }

    @Test func aDirectoryOthersCanWriteToIsRefused() throws {
        #expect(chmod(directory.path, 0o777) == 0)
        #expect(throws: ControlSocketError.openDirectory(directory.path, mode: 0o777)) {
            try SocketDirectory.check(socket: directory.socket)
        }
        #expect(chmod(directory.path, 0o1777) == 0)
        try SocketDirectory.check(socket: directory.socket)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give a directory away"))
    func aDirectoryOfSomebodyElseIsRefused() throws {
        #expect(chown(directory.path, 1234, 1234) == 0)
        #expect(throws: ControlSocketError.foreignDirectory(directory.path, owner: 1234, user: 0)) {
            try SocketDirectory.prepare(forSocket: directory.socket)
        }
    }

    @Test func whatIsNoSocketIsRefused() throws {
        try "x".write(toFile: directory.socket, atomically: false, encoding: .utf8)
        #expect(throws: ControlSocketError.notASocket(directory.socket)) {
            try SocketDirectory.check(socket: directory.socket)
        }
    }

    @Test func pathsASocketCannotHaveAreRefused() {
        let long = "/" + String(repeating: "x", count: 107)
        #expect(throws: ControlSocketError.pathTooLong(long, bytes: 108)) { try SocketDirectory.check(socket: long) }
        #expect(throws: ControlSocketError.notAbsolute("x.sock")) { try SocketDirectory.check(socket: "x.sock") }
    }
}
