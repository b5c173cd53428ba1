import Testing
import USBCore
import USBDevice

@Suite struct TransferSlotsTests {
    @Test func itBehavesAsADictionaryInOrderOfInsertionWould() {
        var random = SystemRandomNumberGenerator()
        for idsOfItsOwn in [true, false] {
            var slots = TransferSlots<Int>()
            var model: [(id: TransferID, context: Int)] = []
            for step in 0..<20_000 {
                switch Int.random(in: 0..<5, using: &random) {
                case 0 where idsOfItsOwn, 1 where idsOfItsOwn:
                    guard let id = slots.add(step) else { break }
                    #expect(!model.contains { $0.id == id })
                    model.append((id, step))
                case 0, 1:
                    let id = TransferID.random(in: 0..<600, using: &random) &* (step % 3 == 0 ? 1 : 4097)
                    let isFree = !model.contains { $0.id & 4095 == id & 4095 }
                    let inserted = slots.insert(step, for: id)
                    #expect(inserted == isFree)
                    if inserted { model.append((id, step)) }
                case 2:
                    // Of another generation, or never given out.
                    let stranger = (model.randomElement(using: &random)?.id ?? 5) &+ 4096 &* 1_000_000
                    #expect(slots[stranger] == nil && !slots.contains(stranger))
                    let removed = slots.remove(stranger)
                    #expect(removed == nil)
                default:
                    guard let (index, entry) = model.enumerated().randomElement(using: &random) else { break }
                    #expect(slots[entry.id] == entry.context && slots.contains(entry.id))
                    let removed = slots.remove(entry.id)
                    #expect(removed == entry.context)
                    let again = slots.remove(entry.id)
                    #expect(again == nil)
                    model.remove(at: index)
                }
                #expect(slots.count == model.count)
                if step % 100 == 0 { #expect(slots.ids == model.map(\.id)) }
            }
            let wanted = model.first { $0.context % 7 == 3 }?.id
            #expect(slots.first { $0 % 7 == 3 } == wanted)
        }
    }

    @Test func asManyAsThereAreSlotsAndNoMore() {
        var slots = TransferSlots<Int>()
        let given = (0..<4096).compactMap { slots.add($0) }
        #expect(Set(given.map { $0 & 4095 }).count == 4096)
        let oneMore = slots.add(4096)
        #expect(oneMore == nil)
        #expect(slots.ids == given)
        let freed = slots.remove(given[1234])
        #expect(freed == 1234)
        let again = slots.add(-1)
        #expect(again != given[1234] && again.map { $0 & 4095 } == given[1234] & 4095)
        #expect(slots.allocatedBytes <= TransferSlots<Int>.maximumBytes)
    }

    /// The slots that are in use stay near the start, so that a wire with few pending transfers takes little memory.
    @Test func slotsAreUsedAgainBeforeNewOnesAre() {
        var slots = TransferSlots<Int>()
        for round in 0..<10_000 {
            let ids = (0..<10).compactMap { slots.add(round + $0) }
            #expect(ids.allSatisfy { $0 & 4095 < 16 })
            for id in ids { _ = slots.remove(id) }
        }
        #expect(slots.ids.isEmpty)
    }

    @Test func contextsAreLetGo() {
        final class Payload {}
        var slots = TransferSlots<Payload>()
        weak var payload: Payload?
        var id: TransferID?
        do {
            let made = Payload()
            payload = made
            id = slots.add(made)
        }
        #expect(payload != nil)
        do { _ = id.flatMap { slots.remove($0) } }
        #expect(payload == nil)
    }
}
