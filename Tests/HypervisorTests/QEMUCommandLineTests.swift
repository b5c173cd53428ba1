import Testing

@testable import Hypervisor

struct QEMUCommandLineTests {
    func parse(_ text: String) -> QEMUCommandLine? {
        QEMUCommandLine(arguments: text.split(separator: " ").map(String.init))
    }

    @Test(arguments: [
        ("-qmp unix:/r/a.qmp,server=on,wait=off", "/r/a.qmp"),
        ("--qmp unix:/r/a.qmp,server,nowait", "/r/a.qmp"),
        ("-qmp-pretty unix:/r/a,,b.qmp,server=yes", "/r/a,b.qmp"),
        ("-chardev socket,id=m,path=/r/a.qmp,server=on,wait=off -mon chardev=m,mode=control", "/r/a.qmp"),
        ("-mon m,mode=control -chardev socket,path=rel.qmp,id=m,server", "rel.qmp"),
        ("-chardev socket,id=m,path=/r/a.qmp,server=on -qmp chardev:m", "/r/a.qmp"),
    ])
    func findsTheSocket(_ options: String, _ path: String) {
        #expect(parse("/usr/bin/qemu-system-x86_64 \(options)")?.monitors == [.unixServer(path: path)])
    }

    @Test(arguments: [
        ("-qmp tcp:127.0.0.1:4444,server=on", "tcp"),
        ("-qmp stdio", "stdio"),
        ("-qmp unix:/r/a.qmp", "connects out"),
        ("-qmp unix:/r/a.qmp,server=off", "connects out"),
        ("-qmp unix:x,server=on,abstract=on", "abstract"),
        ("-chardev stdio,id=m -mon chardev=m,mode=control", "stdio"),
        ("-chardev socket,id=m,host=::1,port=1,server=on -mon chardev=m,mode=control", "TCP"),
        ("-chardev socket,id=charmonitor,fd=25,server=on -mon chardev=charmonitor,id=monitor,mode=control", "libvirt"),
        ("-mon chardev=gone,mode=control", "gone"),
        ("-qmp", "nothing"),
    ])
    func saysWhyAMonitorIsUnusable(_ options: String, _ word: String) throws {
        let line = try #require(parse("qemu-system-arm \(options)"))
        let process = QEMUProcess(pid: 7, startTicks: 1, commandLine: line, directory: "/")
        #expect(process.sockets.isEmpty)
        let trouble = try #require(process.trouble)
        #expect(trouble.contains(word), "\(trouble)")
        #expect(trouble.contains("-qmp unix:"), "\(trouble)")
    }

    @Test func humanMonitorIsNoQMP() {
        #expect(parse("qemu-kvm -monitor unix:/r/m,server=on -chardev socket,id=c,path=/r/c,server=on")?.monitors == [])
        #expect(parse("qemu-kvm -chardev socket,id=c,path=/r/c,server=on -mon chardev=c,mode=readline")?.monitors == [])
    }

    @Test func nameAndAccelerators() {
        #expect(parse("qemu-system-x86_64 -name desk")?.name == "desk")
        #expect(parse("qemu-system-x86_64 -name guest=desk,debug-threads=on")?.name == "desk")
        #expect(parse("qemu-system-x86_64 -accel kvm -accel tcg,thread=multi")?.accelerators == ["kvm", "tcg"])
        #expect(
            parse("qemu-system-x86_64 -machine q35,accel=kvm:tcg -enable-kvm")?.accelerators == ["kvm", "tcg", "kvm"])
        #expect(parse("qemu-system-x86_64 -M")?.accelerators == [])
    }

    @Test func otherProgramsAreNotQEMU() {
        #expect(parse("vim qemu-system-x86_64") == nil)
        #expect(parse("qemu-img create") == nil)
        #expect(QEMUCommandLine(arguments: []) == nil)
        #expect(QEMUCommandLine(arguments: [""]) == nil)
    }

    @Test func relativeSocketIsInTheWorkingDirectory() throws {
        let line = try #require(parse("qemu-system-arm -qmp unix:a.qmp,server=on"))
        #expect(QEMUProcess(pid: 7, startTicks: 1, commandLine: line, directory: "/r").sockets == ["/r/a.qmp"])
        #expect(
            QEMUProcess(pid: 7, startTicks: 1, commandLine: line, directory: nil).trouble?.contains("relative") == true)
    }

    @Test func processStatusSurvivesAnyCommandName() {
        let stat = "12 (a) b) R) S 1 2 3 4 5 6 7 8 9 10 70 30 0 0 20 0 1 0 4242 1 2"
        let status = ProcessStatus(stat: stat)
        #expect(status?.state == "S")
        #expect(status?.cpuTicks == 100)
        #expect(status?.startTicks == 4242)
        for junk in ["", ")", "1 (x) S", "1 (x) S a b c d e f g h i j k l m n o p q r s t"] {
            #expect(ProcessStatus(stat: junk) == nil)
        }
    }

    @Test func cpuMeterCountsAllThreads() throws {
        let start = ContinuousClock.now
        var meter = CPUMeter()
        let ticks = UInt64(ProcessStatus.ticksPerSecond)
        let stat = { (busy: UInt64) in "1 (q) R 1 2 3 4 5 6 7 8 9 10 \(busy) 0 0 0 20 0 1 0 1 1 2" }
        #expect(meter.percent(try #require(ProcessStatus(stat: stat(0))), at: start) == nil)
        let next = try #require(ProcessStatus(stat: stat(2 * ticks)))
        #expect(meter.percent(next, at: start + .seconds(1)) == 200)
        #expect(meter.percent(next, at: start + .seconds(2)) == 0)
    }
}
