/// One SCSI logical unit, a disk or a CD-ROM, without its I/O: says what each command means, and keeps sense data.
///
/// SPC-4, SBC-3 and, for CD-ROMs, MMC-6. A command is first understood (`plan`), which changes nothing; once the host's
/// data is there, `begin` carries out what needs no medium and says what to do with it otherwise.
public struct SCSIUnit: Sendable {
    /// What a command needs.
    public enum Plan: Sendable, Equatable {
        case done
        case respond([UInt8])
        case fail(SCSISense)
        /// Bytes of the medium to the host.
        case read(offset: UInt64, length: Int)
        /// Bytes from the host to the medium; `isDurable`: answered when no power failure can undo it (FUA).
        case write(offset: UInt64, length: Int, isDurable: Bool)
        /// Everything written before becomes durable.
        case flush
        /// Reads without a transfer, to see whether it can be read.
        case verify(offset: UInt64, length: UInt64)
        /// Compares with what the host sends.
        case compare(offset: UInt64, length: Int)
        /// A parameter list of the host.
        case select(length: Int)
        /// Flushes, then the medium is gone.
        case eject
        case load
        case prevent(Bool)
        case requestSense(allocation: Int)

        /// What it moves between host and device.
        public var intent: BulkOnlyTransport.Intent {
            switch self {
            case .done, .flush, .verify, .eject, .load, .prevent: .none
            case .fail: .fail
            case .respond(let data): .send(data.count)
            case .requestSense(let allocation): .send(min(allocation, 18))
            case .read(_, let length): .send(length)
            case .write(_, let length, _), .compare(_, let length), .select(let length): .receive(length)
            }
        }
    }

    public var medium: SCSIMedium
    public private(set) var isLoaded = true
    private var isRemovalPrevented = false
    private var sense = SCSISense.none
    private var attention: SCSISense?

    public init(medium: SCSIMedium) {
        self.medium = medium
    }

    /// The guest has locked the medium in, as systems do while they have it open.
    public var isInUse: Bool { isRemovalPrevented }

    /// Keeps why the command in hand failed, for REQUEST SENSE.
    public mutating func failed(_ sense: SCSISense) { self.sense = sense }

    /// Forgets what lasts for one connection with the host.
    public mutating func reset() {
        isRemovalPrevented = false
        isLoaded = true
        sense = .none
        attention = nil
    }

    /// What the command means; nothing changes but the sense data of the command before, which is forgotten.
    public func plan(_ command: [UInt8], lun: UInt8) -> Plan {
        guard let code = command.first else { return .fail(.invalidOperationCode) }
        let operation = SCSIOperation(rawValue: code)
        if lun != 0, operation != .requestSense, operation != .inquiry { return .fail(.unitNotSupported) }
        switch operation {
        case .inquiry: return inquiry(command, lun: lun)
        case .requestSense:
            // Descriptor format is not offered.
            return command.byte(1) & 1 == 0 ? .requestSense(allocation: Int(command.byte(4))) : .fail(.invalidField)
        case .reportLUNs: return reportLUNs(command)
        default: break
        }
        if let attention { return .fail(attention) }
        switch operation {
        case .startStopUnit: return startStop(command)
        case .preventAllowMediumRemoval: return .prevent(command.byte(4) & 1 != 0)
        case .modeSense6, .modeSense10: return modeSense(command, isLong: operation == .modeSense10)
        case .modeSelect6: return .select(length: Int(command.byte(4)))
        case .modeSelect10: return .select(length: Int(UInt16(bigEndian: command, at: 7)))
        case .readFormatCapacities: return formatCapacities(command)
        case .getConfiguration where medium.type == .cdrom: return configuration(command)
        case .getEventStatus where medium.type == .cdrom: return eventStatus(command)
        default: break
        }
        guard isLoaded else { return .fail(.mediumNotPresent) }
        switch operation {
        case .testUnitReady: return .done
        case .readCapacity10: return capacity10(command)
        case .serviceActionIn16 where command.byte(1) & 0x1F == 0x10: return capacity16(command)
        case .synchronizeCache10, .synchronizeCache16: return .flush
        case .readTOC where medium.type == .cdrom: return tableOfContents(command)
        default: return transfer(command, operation)
        }
    }

    /// Carries out what needs no medium; the rest comes back for the medium's owner.
    public mutating func begin(_ plan: Plan, data: [UInt8]) -> Plan {
        if case .requestSense = plan {
            let bytes = (attention ?? sense).bytes
            attention = nil
            sense = .none
            return .respond(Array(bytes.prefix(plan.sendLength)))
        }
        sense = .none
        switch plan {
        case .fail(let sense):
            if sense == attention { attention = nil }
            self.sense = sense
            return plan
        case .prevent(let isPrevented):
            isRemovalPrevented = isPrevented
            return .done
        case .load:
            if !isLoaded { attention = .mediumChanged }
            isLoaded = true
            return .done
        case .select:
            if let sense = selectProblem(data) {
                self.sense = sense
                return .fail(sense)
            }
            return .done
        default:
            return plan
        }
    }

    /// The medium has been flushed for `eject`, and is gone now.
    public mutating func ejected() {
        isLoaded = false
        isRemovalPrevented = false
    }

    private func startStop(_ command: [UInt8]) -> Plan {
        // Power conditions mean nothing here.
        guard command.byte(4) >> 4 == 0 else { return .done }
        switch command.byte(4) & 3 {
        case 0: return .flush
        // Memory sticks have no lock, and who ejects one has opened it for that; a tray has.
        case 2:
            return isRemovalPrevented && medium.type == .cdrom ? .fail(.removalPrevented) : isLoaded ? .eject : .done
        case 3: return .load
        default: return isLoaded ? .done : .fail(.mediumNotPresent)
        }
    }
}

extension SCSIUnit.Plan {
    fileprivate var sendLength: Int {
        if case .send(let length) = intent { length } else { 0 }
    }
}

extension [UInt8] {
    /// Zero past the end: a command block may be shorter than its operation code says.
    func byte(_ index: Int) -> UInt8 { index < count ? self[index] : 0 }
}
