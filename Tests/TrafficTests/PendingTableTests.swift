import Testing
import USBCore

@testable import Traffic

@Suite struct PendingTableTests {
    private func entry(_ time: UInt64 = 0) -> PendingTable.Entry {
        PendingTable.Entry(submitted: time, setup: nil, data: [], length: 0)
    }

    @Test func itBehavesAsADictionaryWould() {
        var random = SystemRandomNumberGenerator()
        for limit in [1, 7, 64, 500] {
            var table = PendingTable(limit: limit)
            var model: [TransferID: UInt64] = [:]
            for step in 0..<20_000 {
                // Few ids, so that they meet; some far apart, as different wires choose them.
                let id = UInt64.random(in: 0..<UInt64(limit * 2), using: &random) &* (step % 2 == 0 ? 1 : 1 << 33)
                if Bool.random(using: &random) {
                    let accepted = table.insert(id, entry(UInt64(step)))
                    #expect(accepted == (model[id] == nil && model.count < limit))
                    if accepted { model[id] = UInt64(step) }
                } else {
                    let removed = table.remove(id)?.submitted
                    #expect(removed == model.removeValue(forKey: id))
                }
                #expect(table.count == model.count)
            }
            for (id, time) in model {
                let removed = table.remove(id)?.submitted
                #expect(removed == time)
            }
            #expect(table.count == 0)
            #expect(table.allocatedBytes <= PendingTable.bytes(for: limit))
        }
    }

    @Test func aFullTableRefuses() {
        var table = PendingTable(limit: 4096)
        let accepted = (0..<4096).count { table.insert(TransferID($0), entry(UInt64($0))) }
        #expect(accepted == 4096)
        let oneMore = table.insert(4096, entry())
        #expect(!oneMore)
        let removed = table.remove(17)
        #expect(removed?.submitted == 17)
        let again = table.insert(4096, entry())
        #expect(again)
    }
}
