// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis

/// The keys of one task, which no other task uses, and their possible values.
struct Ledger: Sendable {
    let task: Int
    let textKey: String
    let blobKey: String
    let counterKey: String
    var text = UncertainValue()
    var blob = UncertainValue()
    var counter = UncertainCounter()

    init(prefix: String, task: Int) {
        self.task = task
        textKey = "\(prefix):\(task):text"
        blobKey = "\(prefix):\(task):blob"
        counterKey = "\(prefix):\(task):counter"
    }

    var keys: [String] { [textKey, blobKey, counterKey] }

    /// Compares the final values of the server, in the order of ``keys``, with the possible ones.
    ///
    /// - Returns: A description of each difference.
    mutating func audit(_ replies: [RedisReply]) -> [String] {
        guard replies.count == keys.count else {
            return ["MGET returned \(replies.count) replies for \(keys.count) keys"]
        }
        var faults: [String] = []
        if !text.read(replies[0].bytes) {
            faults.append("\(textKey) is \(brief(replies[0])), not \(brief(text.candidates))")
        }
        if !blob.read(replies[1].bytes) {
            faults.append("\(blobKey) is \(brief(replies[1])), not \(brief(blob.candidates))")
        }
        if !counter.read(replies[2].integer) {
            faults.append("\(counterKey) is \(brief(replies[2])), not in \(counter.range)")
        }
        return faults
    }
}
