import CHiredis

/// Puts replies together out of the items that hiredis's reader finds.
///
/// hiredis calls the functions in ``functions`` while it parses. They build the Swift values right away, out of the
/// reader's own buffer, so that the bytes are copied once and no `redisReply` is ever allocated. What they return to
/// hiredis is a placeholder that means "fine"; `nil` makes it stop with an error.
final class ReplyBuilder {
    /// An array that is not complete yet.
    private struct OpenArray {
        let count: Int
        var elements: [RedisReply]
    }

    private var openArrays: [OpenArray] = []
    private var complete: RedisReply?

    /// Why a function returned `nil`. hiredis itself takes that for want of memory.
    private(set) var failure: String?

    /// The reply that hiredis says is complete; `nil` if it has items that this builder was not shown.
    func takeReply() -> RedisReply? {
        guard openArrays.isEmpty else { return nil }
        defer { complete = nil }
        return complete
    }

    private func append(_ item: RedisReply) {
        var item = item
        while let last = openArrays.indices.last {
            openArrays[last].elements.append(item)
            guard openArrays[last].elements.count == openArrays[last].count else { return }
            item = .array(openArrays.removeLast().elements)
        }
        complete = item
    }

    /// The peer may announce two thousand million elements and send none: memory is asked for as they come.
    private static let maximumReservedElements = 1024

    private func openArray(of count: Int) {
        guard count > 0 else { return append(.array([])) }
        var elements: [RedisReply] = []
        elements.reserveCapacity(min(count, Self.maximumReservedElements))
        openArrays.append(OpenArray(count: count, elements: elements))
    }

    private func appendString(type: Int32, _ text: UnsafeRawBufferPointer, terminator: UnsafeRawPointer) -> Bool {
        switch type {
        case REDIS_REPLY_STRING:
            // hiredis skips the two bytes after a bulk string without looking at them.
            guard terminator.loadUnaligned(as: UInt16.self) == Self.lineEnd else {
                failure = "a bulk string of \(text.count) bytes is not followed by a line end"
                return false
            }
            append(.bulkString(Array(text)))
        case REDIS_REPLY_STATUS:
            append(.simpleString(String(decoding: text, as: UTF8.self)))
        case REDIS_REPLY_ERROR:
            append(.error(RedisError(.serverError, String(decoding: text, as: UTF8.self))))
        default:
            failure = "a reply of a type that is not in version 2 of the protocol"
            return false
        }
        return true
    }

    private static let lineEnd = UInt16(littleEndian: 0x0A0D)
}

// MARK: - What hiredis calls

extension ReplyBuilder {
    private static var fine: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: 1) }

    private static func of(_ task: UnsafePointer<redisReadTask>?) -> ReplyBuilder? {
        guard let builder = task?.pointee.privdata else { return nil }
        return Unmanaged<ReplyBuilder>.fromOpaque(builder).takeUnretainedValue()
    }

    /// For `redisReaderCreateWithFunctions`. The reader's `privdata` must be an unretained builder that outlives it.
    ///
    /// Never freed and never changed after it was made. What later versions of hiredis added to the structure (numbers
    /// and booleans of protocol 3) stays empty.
    nonisolated(unsafe) static let functions: UnsafeMutablePointer<redisReplyObjectFunctions> = {
        var functions = redisReplyObjectFunctions()
        functions.createString = { task, text, length in
            guard let task, let text, let builder = ReplyBuilder.of(task) else { return nil }
            let bytes = UnsafeRawBufferPointer(start: text, count: length)
            return builder.appendString(type: task.pointee.type, bytes, terminator: text + length) ? fine : nil
        }
        functions.createArray = { task, count in
            guard let task, let builder = ReplyBuilder.of(task) else { return nil }
            guard task.pointee.type == REDIS_REPLY_ARRAY else {
                builder.failure = "a reply of a type that is not in version 2 of the protocol"
                return nil
            }
            builder.openArray(of: Int(count))
            return fine
        }
        functions.createInteger = { task, value in
            guard let builder = ReplyBuilder.of(task) else { return nil }
            builder.append(.integer(Int(value)))
            return fine
        }
        functions.createNil = { task in
            guard let builder = ReplyBuilder.of(task) else { return nil }
            builder.append(.null)
            return fine
        }
        functions.freeObject = { _ in }
        let pointer = UnsafeMutablePointer<redisReplyObjectFunctions>.allocate(capacity: 1)
        pointer.initialize(to: functions)
        return pointer
    }()
}
