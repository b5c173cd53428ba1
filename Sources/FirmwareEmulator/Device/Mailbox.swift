import Synchronization

/// What the event loop has for a machine and the machine has not taken yet.
final class Mailbox<Message: Sendable>: Sendable {
    private let messages = Mutex<[Message]>([])

    func send(_ message: Message) { messages.withLock { $0.append(message) } }

    func take() -> [Message] {
        messages.withLock {
            let taken = $0
            $0 = []
            return taken
        }
    }
}
