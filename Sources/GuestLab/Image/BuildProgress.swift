/// How far a guest image's build has come.
public struct BuildProgress: Sendable, Equatable {
    public enum Stage: String, Sendable, CaseIterable {
        case waiting, resolving, downloading, unpacking, kernel, modules, initramfs, done
    }

    public let stage: Stage
    /// Of the whole build, 0…1, weighted by what the stages usually take.
    public let fraction: Double
    /// One line for the operator.
    public let text: String

    /// Where in the whole a stage begins.
    private static func start(of stage: Stage) -> Double {
        switch stage {
        case .waiting, .resolving: 0
        case .downloading: 0.05
        case .unpacking: 0.5
        case .kernel: 0.75
        case .modules: 0.85
        case .initramfs: 0.95
        case .done: 1
        }
    }

    init(_ stage: Stage, stageFraction: Double = 0, _ text: String) {
        let next = Stage.allCases.drop { $0 != stage }.dropFirst().first ?? .done
        let (from, to) = (Self.start(of: stage), Self.start(of: next))
        self.stage = stage
        self.fraction = from + (to - from) * min(max(stageFraction, 0), 1)
        self.text = text
    }
}
