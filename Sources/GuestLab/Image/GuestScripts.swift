/// The shell scripts that are the guest's whole user space beside busybox.
enum GuestScripts {
    /// Printed to the kernel log when user space has begun; the accelerator probe waits for it.
    static let marker = "2virt: init runs"
    /// Kernel argument that makes `/init` power off right after the marker.
    static let probeArgument = "2virt.probe"
    static let nameArgument = "2virt.name"
    /// The virtio-serial port of the command channel.
    static let commandPort = "2virt.lab.command"
    static let shellDevice = "hvc0"

    static let files: [(path: String, text: String)] = [
        ("init", initProgram), ("sbin/hotplug", hotplug), ("sbin/lab-agent", agent), ("sbin/operator-shell", shell),
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
        { while :; do setsid getty -n -l /sbin/operator-shell 115200 \(shellDevice) xterm; sleep 1; done; } \
        </dev/null >/dev/null 2>&1 &

        # The port's name comes over virtio's control queue, some time after the driver has bound.
        port= tries=0
        while [ -z "$port" ] && [ $tries -lt 500 ]; do
            for entry in /sys/class/virtio-ports/*; do
                [ "$(cat "$entry/name" 2>/dev/null)" = \(commandPort) ] && port=/dev/${entry##*/}
            done
            tries=$((tries + 1))
            [ -n "$port" ] || usleep 10000
        done
        if [ -n "$port" ]; then
            sh /sbin/lab-agent "$port"
        else
            echo "2virt: no command port" >/dev/kmsg
        fi
        poweroff -f
        """

    /// Called by busybox `uevent` with the event in the environment: all the udev a guest needs.
    private static let hotplug = """
        #!/bin/sh
        [ "$ACTION" = add ] && [ -n "$MODALIAS" ] && exec modprobe -bq "$MODALIAS"
        exit 0
        """

    /// Serves ``CommandChannel``: one process reads requests and starts jobs, another alone writes replies, so that jobs
    /// run side by side and replies never interleave. It ends when the host closes the port.
    private static let agent = """
        #!/bin/sh
        cd /root
        spool=/run/lab
        mkfifo $spool/done
        exec 3<>"$1" 4<>$spool/done
        echo "ready $(uname -r)" >&3
        while read -r id status <&4; do
            size=$(stat -c %s $spool/$id.out)
            echo "exit $id $status $size" >&3
            head -c $size $spool/$id.out >&3
            rm -f $spool/$id.*
        done &
        while read -r verb id script <&3; do
            case $verb in
            run)
                echo "$script" | base64 -d >$spool/$id.sh
                {
                    setsid sh -c 'echo $$ >"$0.pid"; . "$0.sh"' $spool/$id >$spool/$id.out 2>&1 3>&- 4>&-
                    echo "$id $?" >&4
                } </dev/null &
                ;;
            kill)
                [ -s $spool/$id.pid ] && kill -KILL -- "-$(cat $spool/$id.pid)"
                ;;
            esac
        done
        """

    private static let shell = """
        #!/bin/sh
        cd /root
        echo "This is the guest $(hostname), Linux $(uname -r). Its USB devices: ls /sys/bus/usb/devices"
        exec sh -l
        """
}
