/// ST's DFU files with addresses (UM0391): a prefix, targets, and elements of each target.
enum DfuSeLoader {
    static func load(_ bytes: [UInt8]) throws(ImageError) -> FirmwareImage {
        let suffix = try DFUSuffix(parsing: bytes, format: .dfuSe)
        guard bytes.count >= 11 + suffix.length, let imageSize = bytes.little32(at: 6) else {
            throw ImageError(.dfuSe, at: bytes.count, "the file ends inside the prefix")
        }
        let end = bytes.count - suffix.length
        guard bytes[5] == 1 else { throw ImageError(.dfuSe, at: 5, "prefix version \(bytes[5]) is unknown") }
        guard Int(imageSize) == end else {
            throw ImageError(.dfuSe, at: 6, "DFUImageSize is \(imageSize), but \(end) bytes precede the suffix")
        }
        var image = FirmwareImage(format: .dfuSe, segments: [], suffix: suffix)
        var position = 11
        for target in 0..<Int(bytes[10]) {
            guard position + 274 <= end, Array(bytes[position..<position + 6]) == Array("Target".utf8) else {
                throw ImageError(.dfuSe, at: position, "target \(target) has no prefix")
            }
            let elements = Int(bytes.little32(at: position + 270) ?? 0)
            position += 274
            // Each element has at least eight bytes: the count is bounded before it is believed.
            guard elements <= (end - position) / 8 else {
                throw ImageError(.dfuSe, at: position - 4, "\(elements) elements do not fit the file")
            }
            for element in 0..<elements {
                guard position + 8 <= end, let address = bytes.little32(at: position),
                    let size = bytes.little32(at: position + 4), Int(size) <= end - position - 8
                else { throw ImageError(.dfuSe, at: position, "element \(element) of target \(target) is cut off") }
                try ImageLoader.check(
                    segment: address, count: Int(size), loaded: image.byteCount, format: .dfuSe, offset: position)
                image.segments.append(
                    .init(address: address, bytes: Array(bytes[position + 8..<position + 8 + Int(size)])))
                position += 8 + Int(size)
            }
        }
        return image
    }
}
