/// The shell scripts that are the guest's whole user space beside busybox.
enum GuestScripts {
    /// Printed to the kernel log when user space has begun; the accelerator probe waits for it.
    static let marker = "2virt: init runs"
    /// Kernel argument that makes `/init` power off right after the marker.
    static let probeArgument = "2virt.probe"
    static let nameArgument = "2virt.name"
    /// The virtio-serial port of the command channel.
    static let commandPort = "2virt.lab.command"
    /// The port `qemu-ga` serves, by the name that everything which speaks to guest agents expects.
    static let agentPort = "org.qemu.guest_agent.0"
    static let shellDevice = "hvc0"
    /// Kernel argument that gives the network card the address QEMU's user network expects.
    static let networkArgument = "2virt.network"

    static let files: [(path: String, text: String)] = [
        ("init", initProgram), ("etc/inittab", inittab), ("sbin/hotplug", hotplug), ("sbin/lab-agent", agent),
        ("sbin/lab-job", job), ("sbin/lab-port", findPort), ("sbin/lab-guest-agent", guestAgent),
        ("sbin/operator-shell", shell),
    ]

    private static let initProgram = """
        #!/bin/sh
        export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=xterm
        mount -t devtmpfs devtmpfs /dev
        echo "\(marker)" >/dev/kmsg
        mount -t proc proc /proc
        mount -t sysfs sysfs /sys
        for argument in $(cat /proc/cmdline); do
            case $argument in
            \(probeArgument)) poweroff -f ;;
            \(nameArgument)=*) hostname "${argument#*=}" ;;
            \(networkArgument)) network=yes ;;
            esac
        done
        mkdir -p /dev/pts /dev/shm
        mount -t devpts devpts /dev/pts
        mount -t tmpfs tmpfs /dev/shm
        mount -t tmpfs tmpfs /run
        mount -t tmpfs tmpfs /tmp
        mkdir -p /run/lab
        ip link set lo up

        # Hot-plug first, then what was there before it listened.
        { while :; do uevent /sbin/hotplug; sleep 1; done; } </dev/null >/dev/null 2>&1 &
        modprobe -a virtio_pci virtio_console
        find /sys/devices -name modalias -exec cat {} + | sort -u | xargs modprobe -abq 2>/dev/null
        if [ -n "$network" ]; then
            ip addr add \(GuestNetwork.guestAddress)/24 dev eth0
            ip link set eth0 up
            ip route add default via \(GuestNetwork.hostAddress)
        fi
        exec /sbin/init
        """

    /// Called by busybox `uevent` with the event in the environment: all the udev a guest needs.
    private static let hotplug = """
        #!/bin/sh
        [ "$ACTION" = add ] && [ -n "$MODALIAS" ] && exec modprobe -bq "$MODALIAS"
        exit 0
        """

    /// busybox init starts these with default signals; what a script starts with `&` would ignore Ctrl-C for good.
    private static let inittab = """
        ::respawn:/sbin/getty -n -l /sbin/operator-shell 115200 \(shellDevice) xterm
        ::once:/sbin/lab-agent
        ::once:/sbin/lab-guest-agent
        """

    /// Prints the device of a virtio-serial port; its name comes over virtio's control queue, some time after the driver
    /// has bound.
    private static let findPort = """
        #!/bin/sh
        tries=0
        while [ $tries -lt 500 ]; do
            for entry in /sys/class/virtio-ports/*; do
                [ "$(cat "$entry/name" 2>/dev/null)" = "$1" ] && echo "/dev/${entry##*/}" && exit 0
            done
            tries=$((tries + 1))
            usleep 10000
        done
        exit 1
        """

    /// QEMU's guest agent, where the image has the package and the machine has the port.
    private static let guestAgent = """
        #!/bin/sh
        [ -x /usr/sbin/qemu-ga ] || exit 0
        port=$(lab-port \(agentPort)) || exit 0
        while :; do
            qemu-ga -m virtio-serial -p "$port" -t /run -f /run/qemu-ga.pid
            sleep 1
        done
        """

    /// Serves ``CommandChannel``.
    ///
    /// One process reads requests and starts jobs, another alone writes replies, so that jobs run side by side and
    /// replies never interleave. It ends, and the guest with it, when the host closes the port.
    private static let agent = """
        #!/bin/sh
        cd /root
        spool=/run/lab
        port=$(lab-port \(commandPort))
        if [ -z "$port" ]; then
            echo "2virt: no command port" >/dev/kmsg
            poweroff -f
        fi
        mkfifo $spool/done
        exec 3<>"$port" 4<>$spool/done
        echo "ready $(uname -r)" >&3
        while read -r id status <&4; do
            [ -e $spool/$id.sh ] || continue
            size=$(stat -c %s $spool/$id.out)
            echo "exit $id $status $size" >&3
            head -c $size $spool/$id.out >&3
            rm -f $spool/$id.*
        done &
        while read -r verb id script <&3; do
            case $verb in
            run)
                : >$spool/$id.out
                echo "$script" | base64 -d >$spool/$id.sh
                start-stop-daemon -S -b -p $spool/$id.none -x /bin/sh -- /sbin/lab-job $id
                ;;
            kill)
                while [ ! -s $spool/$id.group ] && [ -e $spool/$id.sh ]; do usleep 10000; done
                if [ -s $spool/$id.group ]; then
                    group=$(cat $spool/$id.group)
                    kill -KILL -- "-$group"
                    # The next command must not meet what this one leaves to be reaped.
                    tries=0
                    while kill -0 -- "-$group" 2>/dev/null && [ $tries -lt 200 ]; do
                        tries=$((tries + 1))
                        usleep 10000
                    done
                fi
                echo "$id 137" >&4
                ;;
            esac
        done
        poweroff -f
        """

    /// One command, in the process group start-stop-daemon made for it, so that all it started can be killed with it.
    private static let job = """
        #!/bin/sh
        cd /root
        spool=/run/lab/$1
        read -r pid name state parent group rest </proc/$$/stat
        echo $group >$spool.group
        sh $spool.sh >$spool.out 2>&1
        echo "$1 $?" >/run/lab/done
        """

    private static let shell = """
        #!/bin/sh
        cd /root
        echo "This is the guest $(hostname), Linux $(uname -r). Its USB devices: ls /sys/bus/usb/devices"
        exec sh -l
        """
}
