// SPDX-License-Identifier: Apache-2.0

import CHiredis

/// Builds replies from the items that hiredis's reader finds.
///
/// hiredis calls the functions in ``functions`` while it parses. They build Swift values directly from the reader's own
/// buffer, so bytes are copied once and no `redisReply` is ever allocated. A function returns a placeholder to hiredis
/// for success, and `nil` to stop it with an error.
final class ReplyBuilder {
    /// An array that is not complete yet.
    private struct OpenArray {
        let count: Int
        var elements: [RedisReply]
    }

    private var openArrays: [OpenArray] = []
    private var complete: RedisReply?

    /// The reason why a function returned `nil`. hiredis itself reports every `nil` as a lack of memory.
    private(set) var failure: String?

    /// Returns the reply that hiredis reports as complete; `nil` if it has items that this builder was not given.
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

    /// A peer may announce two billion elements and send none, so memory is allocated as the elements arrive.
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
            failure = Self.unknownType
            return false
        }
        return true
    }

    static let unknownType = "a reply has a type that version 2 of the protocol does not have"

    private static let lineEnd = UInt16(littleEndian: 0x0A0D)
}

// MARK: - Callbacks of hiredis

extension ReplyBuilder {
    private static var success: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: 1) }

    private static func of(_ task: UnsafePointer<redisReadTask>?) -> ReplyBuilder? {
        guard let builder = task?.pointee.privdata else { return nil }
        return Unmanaged<ReplyBuilder>.fromOpaque(builder).takeUnretainedValue()
    }

    /// The callbacks for `redisReaderCreateWithFunctions`. The reader's `privdata` must be an unretained builder that
    /// outlives the reader.
    ///
    /// Never freed, and never changed after initialization. The callbacks that later versions of hiredis have added for
    /// version 3 of the protocol stay empty, so such replies are errors: this client never asks for that version.
    nonisolated(unsafe) static let functions: UnsafeMutablePointer<redisReplyObjectFunctions> = {
        var functions = redisReplyObjectFunctions()
        functions.createString = { task, text, length in
            guard let task, let text, let builder = ReplyBuilder.of(task) else { return nil }
            let bytes = UnsafeRawBufferPointer(start: text, count: length)
            return builder.appendString(type: task.pointee.type, bytes, terminator: text + length) ? success : nil
        }
        functions.createArray = { task, count in
            guard let task, let builder = ReplyBuilder.of(task) else { return nil }
            guard task.pointee.type == REDIS_REPLY_ARRAY else {
                builder.failure = unknownType
                return nil
            }
            builder.openArray(of: Int(count))
            return success
        }
        functions.createInteger = { task, value in
            guard let builder = ReplyBuilder.of(task) else { return nil }
            builder.append(.integer(Int(value)))
            return success
        }
        functions.createNil = { task in
            guard let builder = ReplyBuilder.of(task) else { return nil }
            builder.append(.null)
            return success
        }
        functions.freeObject = { _ in }
        let pointer = UnsafeMutablePointer<redisReplyObjectFunctions>.allocate(capacity: 1)
        pointer.initialize(to: functions)
        return pointer
    }()
}
