/// The udev rule that lets the logged-in user and the group plugdev use 2Virt devices.
public enum UdevRule {
    /// The file's text; /etc/udev/rules.d/60-2virt.rules.
    public static let text = """
        # 2Virt devices: install as /etc/udev/rules.d/60-2virt.rules, then
        #   udevadm control --reload && udevadm trigger --subsystem-match=usb
        ACTION!="remove", SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{manufacturer}=="2Virt", \\
            MODE="0660", GROUP="plugdev", TAG+="uaccess"
        ACTION!="remove", SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ENV{ID_USB_INTERFACES}=="*:ff3256:*", \\
            MODE="0660", GROUP="plugdev", TAG+="uaccess"

        """
}
