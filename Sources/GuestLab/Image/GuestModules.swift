/// The kernel modules a guest carries: every host controller, every class the product simulates, and what boots it.
enum GuestModules {
    static let names =
        controllers + classes + paravirtual + fileSystems

    private static let controllers = [
        "xhci_hcd", "xhci_pci", "ehci_hcd", "ehci_pci", "uhci_hcd", "ohci_hcd", "ohci_pci", "usbcore", "vhci_hcd",
        "usbmon",
    ]

    private static let classes = [
        "cdc_acm", "cdc_ncm", "cdc_ether", "rndis_host", "usbhid", "hid_generic", "evdev", "usb_storage", "uas",
        "sd_mod", "sr_mod", "usblp", "usbtmc", "usbserial", "usb_serial_simple", "snd_usb_audio", "gs_usb", "usbtest",
    ]

    private static let paravirtual = [
        "virtio_pci", "virtio_console", "virtio_net", "virtio_blk", "e1000", "af_packet",
    ]

    /// vfat mounts with code page 437 and ISO 8859-1 by default; Debian's own default is ASCII.
    private static let fileSystems = [
        "ext4", "crc32c_generic", "isofs", "vfat", "nls_cp437", "nls_ascii", "nls_iso8859_1", "nls_utf8",
    ]
}
