import Benchmarks
import Testing

@Suite("Statistics")
struct StatisticsTests {
    @Test("median of odd, even, one and none, in any order")
    func median() {
        #expect(Statistics.median([9, 1, 5]) == 5)
        #expect(Statistics.median([4, 1, 3, 2]) == 2.5)
        #expect(Statistics.median([7]) == 7)
        #expect(Statistics.median([]) == nil)
    }

    @Test("percentile by nearest rank", arguments: [(0, 1), (1, 1), (50, 50), (99, 99), (99.5, 100), (100, 100)])
    func percentile(percent: Double, expected: Double) {
        #expect(Statistics.percentile(percent, of: (1...100).map(Double.init).reversed()) == expected)
    }

    @Test("percentiles outside 0 to 100 are the ends; none of nothing")
    func percentileEdges() {
        #expect(Statistics.percentile(-5, of: [2, 1]) == 1)
        #expect(Statistics.percentile(500, of: [2, 1]) == 2)
        #expect(Statistics.percentile(.nan, of: [1]) == nil)
        #expect(Statistics.percentile(50, of: []) == nil)
    }
}
