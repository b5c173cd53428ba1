/// Encodings to draw from, as the manuals print them: a letter is a field, 0 and 1 are fixed.
///
/// `d` destination, `n` and `m` sources, `a` addend, `t` transfer register, `b` a base that points into memory, `o` a
/// small offset register, `e` and `f` destinations that must differ, `x` anything, `s` S.
enum InstructionTemplates {
    static let v6: [String] = [
        "00000xxxxxmmmddd", "00001xxxxxmmmddd", "00010xxxxxmmmddd",
        "0001100mmmnnnddd", "0001101mmmnnnddd", "0001110xxxnnnddd", "0001111xxxnnnddd",
        "00100dddxxxxxxxx", "00101nnnxxxxxxxx", "00110dddxxxxxxxx", "00111dddxxxxxxxx",
        "010000xxxxmmmddd", "01000100dmmmmddd", "01000101nmmmmnnn", "01000110dmmmmddd",
        "0101000ooobbbttt", "0101001ooobbbttt", "0101010ooobbbttt", "0101011ooobbbddd",
        "0101100ooobbbddd", "0101101ooobbbddd", "0101110ooobbbddd", "0101111ooobbbddd",
        "01100xxxxxbbbttt", "01101xxxxxbbbddd", "01110xxxxxbbbttt", "01111xxxxxbbbddd",
        "10000xxxxxbbbttt", "10001xxxxxbbbddd", "10010tttxxxxxxxx", "10011dddxxxxxxxx",
        "10100dddxxxxxxxx", "10101dddxxxxxxxx", "1011001000mmmddd", "1011001001mmmddd",
        "1011001010mmmddd", "1011001011mmmddd", "1011101000mmmddd", "1011101001mmmddd", "1011101011mmmddd",
        "1011111100000000",
        // PUSH {r0-r3} and POP of as many
        "1011010000001111 1011110000001111", "11110011101111111000111101011111",
    ]

    static let v7: [String] = [
        // Modified immediate
        "11110x00000snnnn0xxxddddxxxxxxxx", "11110x00001snnnn0xxxddddxxxxxxxx", "11110x00010snnnn0xxxddddxxxxxxxx",
        "11110x00011snnnn0xxxddddxxxxxxxx", "11110x00100snnnn0xxxddddxxxxxxxx", "11110x01000snnnn0xxxddddxxxxxxxx",
        "11110x01010snnnn0xxxddddxxxxxxxx", "11110x01011snnnn0xxxddddxxxxxxxx", "11110x01101snnnn0xxxddddxxxxxxxx",
        "11110x01110snnnn0xxxddddxxxxxxxx", "11110x00010s11110xxxddddxxxxxxxx", "11110x00011s11110xxxddddxxxxxxxx",
        "11110x000001nnnn0xxx1111xxxxxxxx", "11110x001001nnnn0xxx1111xxxxxxxx", "11110x010001nnnn0xxx1111xxxxxxxx",
        "11110x011011nnnn0xxx1111xxxxxxxx",
        // Plain immediate
        "11110x100000nnnn0xxxddddxxxxxxxx", "11110x101010nnnn0xxxddddxxxxxxxx", "11110x100100xxxx0xxxddddxxxxxxxx",
        "11110x101100xxxx0xxxddddxxxxxxxx", "111100110100nnnn0000dddd000xxxxx", "111100111100nnnn0000dddd000xxxxx",
        "111100110100nnnn0111dddd11000000", "111100111100nnnn0010dddd01001111",
        "111100110110nnnn0000dddd010xxxxx", "11110011011011110000dddd00011111",
        "111100110000nnnn0xxxddddxx0xxxxx", "111100111000nnnn0xxxddddxx0xxxxx",
        "111100110010nnnn0xx1ddddxx0xxxxx", "111100111010nnnn0xx1ddddxx0xxxxx",
        // Shifted register
        "11101010000snnnn0xxxddddxxxxmmmm", "11101010001snnnn0xxxddddxxxxmmmm", "11101010010snnnn0xxxddddxxxxmmmm",
        "11101010011snnnn0xxxddddxxxxmmmm", "11101010100snnnn0xxxddddxxxxmmmm", "11101011000snnnn0xxxddddxxxxmmmm",
        "11101011010snnnn0xxxddddxxxxmmmm", "11101011011snnnn0xxxddddxxxxmmmm", "11101011101snnnn0xxxddddxxxxmmmm",
        "11101011110snnnn0xxxddddxxxxmmmm", "11101010010s11110xxxddddxxxxmmmm", "11101010011s11110xxxddddxxxxmmmm",
        "111010100001nnnn0xxx1111xxxxmmmm", "111010101001nnnn0xxx1111xxxxmmmm", "111010110001nnnn0xxx1111xxxxmmmm",
        "111010111011nnnn0xxx1111xxxxmmmm",
        // Register
        "11111010000snnnn1111dddd0000mmmm", "11111010001snnnn1111dddd0000mmmm", "11111010010snnnn1111dddd0000mmmm",
        "11111010011snnnn1111dddd0000mmmm", "11111010000011111111dddd10xxmmmm", "11111010000111111111dddd10xxmmmm",
        "11111010010011111111dddd10xxmmmm", "11111010010111111111dddd10xxmmmm",
        // Multiply and divide
        "111110110000nnnnaaaadddd0000mmmm", "111110110000nnnn1111dddd0000mmmm", "111110110000nnnnaaaadddd0001mmmm",
        "111110111000nnnneeeeffff0000mmmm", "111110111010nnnneeeeffff0000mmmm", "111110111100nnnneeeeffff0000mmmm",
        "111110111110nnnneeeeffff0000mmmm", "111110111001nnnn1111dddd1111mmmm", "111110111011nnnn1111dddd1111mmmm",
        // Loads and stores
        "111110001101bbbbddddxxxxxxxxxxxx", "111110001011bbbbddddxxxxxxxxxxxx", "111110001001bbbbddddxxxxxxxxxxxx",
        "111110011011bbbbddddxxxxxxxxxxxx", "111110011001bbbbddddxxxxxxxxxxxx", "111110001100bbbbttttxxxxxxxxxxxx",
        "111110001010bbbbttttxxxxxxxxxxxx", "111110001000bbbbttttxxxxxxxxxxxx", "111110000101bbbbdddd000000xxoooo",
        "111110000011bbbbdddd000000xxoooo", "111110000001bbbbdddd000000xxoooo", "111110010011bbbbdddd000000xxoooo",
        "111110010001bbbbdddd000000xxoooo", "111110000100bbbbtttt000000xxoooo", "111110000010bbbbtttt000000xxoooo",
        "111110000000bbbbtttt000000xxoooo", "111110000101bbbbdddd1100xxxxxxxx", "111110000101bbbbdddd1011xxxxx000",
        "111110000101bbbbdddd1111xxxxx000", "111110000100bbbbtttt1011xxxxx000", "111110000011bbbbdddd1001xxxxx000",
        "111110000000bbbbtttt1101xxxxx000", "111110010001bbbbdddd1101xxxxx000",
        "111010010101bbbbeeeeffffxxxxxxxx", "111010010100bbbbttttttttxxxxxxxx", "111010010111bbbbeeeeffff000xxxxx",
        "111010001011bbbb0001000000001111", "111010001001bbbb0001000000001110", "111010010011bbbb0000000000001111",
        "111010010000bbbb0001000000101100",
    ]

    static let dsp: [String] = [
        "111010101100nnnn0xxxddddxx00mmmm", "111010101100nnnn0xxxddddxx10mmmm",
        "111110100000nnnn1111dddd10xxmmmm", "111110100001nnnn1111dddd10xxmmmm", "111110100010nnnn1111dddd10xxmmmm",
        "111110100011nnnn1111dddd10xxmmmm", "111110100100nnnn1111dddd10xxmmmm", "111110100101nnnn1111dddd10xxmmmm",
        "11111010001011111111dddd10xxmmmm", "11111010001111111111dddd10xxmmmm",
        "111110101000nnnn1111dddd0000mmmm", "111110101001nnnn1111dddd0000mmmm", "111110101010nnnn1111dddd0000mmmm",
        "111110101100nnnn1111dddd0000mmmm", "111110101101nnnn1111dddd0000mmmm", "111110101110nnnn1111dddd0000mmmm",
        "111110101000nnnn1111dddd0001mmmm", "111110101001nnnn1111dddd0001mmmm", "111110101010nnnn1111dddd0001mmmm",
        "111110101100nnnn1111dddd0001mmmm", "111110101101nnnn1111dddd0001mmmm", "111110101110nnnn1111dddd0001mmmm",
        "111110101000nnnn1111dddd0010mmmm", "111110101001nnnn1111dddd0010mmmm", "111110101010nnnn1111dddd0010mmmm",
        "111110101100nnnn1111dddd0010mmmm", "111110101101nnnn1111dddd0010mmmm", "111110101110nnnn1111dddd0010mmmm",
        "111110101000nnnn1111dddd0100mmmm", "111110101001nnnn1111dddd0100mmmm", "111110101010nnnn1111dddd0100mmmm",
        "111110101100nnnn1111dddd0100mmmm", "111110101101nnnn1111dddd0100mmmm", "111110101110nnnn1111dddd0100mmmm",
        "111110101000nnnn1111dddd0101mmmm", "111110101001nnnn1111dddd0101mmmm", "111110101010nnnn1111dddd0101mmmm",
        "111110101100nnnn1111dddd0110mmmm", "111110101101nnnn1111dddd0110mmmm", "111110101110nnnn1111dddd0110mmmm",
        "111110101000nnnn1111dddd10xxmmmm", "111110101010nnnn1111dddd1000mmmm",
        "111110110001nnnnaaaadddd00xxmmmm", "111110110001nnnn1111dddd00xxmmmm", "111110110010nnnnaaaadddd000xmmmm",
        "111110110010nnnn1111dddd000xmmmm", "111110110011nnnnaaaadddd000xmmmm", "111110110011nnnn1111dddd000xmmmm",
        "111110110100nnnnaaaadddd000xmmmm", "111110110100nnnn1111dddd000xmmmm", "111110110101nnnnaaaadddd000xmmmm",
        "111110110101nnnn1111dddd000xmmmm", "111110110110nnnnaaaadddd000xmmmm", "111110110111nnnnaaaadddd0000mmmm",
        "111110110111nnnn1111dddd0000mmmm", "111110111100nnnneeeeffff10xxmmmm", "111110111100nnnneeeeffff110xmmmm",
        "111110111101nnnneeeeffff110xmmmm", "111110111110nnnneeeeffff0110mmmm",
        "111100110010nnnn0000dddd0000xxxx", "111100111010nnnn0000dddd0000xxxx",
    ]

    static let float: [String] = [
        "111011100x00xxxxxxxx1010xxx0xxxx", "111011100x01xxxxxxxx1010xxx0xxxx", "111011100x10xxxxxxxx1010xxx0xxxx",
        "111011100x11xxxxxxxx1010xxx0xxxx", "111011101x00xxxxxxxx1010x0x0xxxx", "111011101x01xxxxxxxx1010xxx0xxxx",
        "111011101x10xxxxxxxx1010xxx0xxxx", "111011101x11xxxxxxxx10100000xxxx",
        "111011101x110000xxxx101001x0xxxx", "111011101x110000xxxx101011x0xxxx", "111011101x110001xxxx101001x0xxxx",
        "111011101x110001xxxx101011x0xxxx", "111011101x110100xxxx1010x1x0xxxx 1110111011110001 1111101000010000",
        "111011101x110101xxxx1010x1000000 1110111011110001 1111101000010000", "111011101x111000xxxx1010x1x0xxxx",
        "111011101x111100xxxx1010x1x0xxxx", "111011101x111101xxxx1010x1x0xxxx", "111011101x110010xxxx1010x1x0xxxx",
        "111011101x110011xxxx1010x1x0xxxx", "111011101x111010xxxx101011x0xxxx", "111011101x111011xxxx101011x0xxxx",
        "111011101x111110xxxx101011x0xxxx", "111011101x111111xxxx101011x0xxxx",
        "111011101x111010xxxx101001x00xxx", "111011101x111111xxxx101001x00xxx",
        "111011100000xxxxtttt1010x0010000", "111011100001xxxxdddd1010x0010000",
        "111011011x01bbbbxxxx1010xxxxxxxx", "111011011x00bbbbxxxx1010xxxxxxxx", "111011001011bbbb000010100000x100",
        "111011010001bbbb0xxx1011xxxxxxxx",
    ]
}
