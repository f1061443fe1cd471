// SPDX-License-Identifier: Apache-2.0

/// The keys of one task, which no other task uses.
struct RedisKeys: Sendable {
    let text: String
    let blob: String
    let counter: String

    init(of task: Int, in run: RunName) {
        text = "\(run):\(task):text"
        blob = "\(run):\(task):blob"
        counter = "\(run):\(task):counter"
    }

    var all: [String] { [text, blob, counter] }
}
