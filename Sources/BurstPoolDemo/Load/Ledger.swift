// SPDX-License-Identifier: Apache-2.0

/// The possible values of one task, which no other task writes.
struct Ledger: Sendable {
    let task: Int
    var text = UncertainValue()
    var blob = UncertainValue()
    var counter = UncertainCounter()

    init(task: Int) {
        self.task = task
    }

    /// Compares the final values of the server with the possible ones.
    ///
    /// - Returns: A description of each difference.
    mutating func audit(_ stored: StoredValues) -> [String] {
        var faults: [String] = []
        if !text.read(stored.text) {
            faults.append("the text of task \(task) is \(brief(stored.text)), not \(brief(text.candidates))")
        }
        if !blob.read(stored.blob) {
            faults.append("the blob of task \(task) is \(brief(stored.blob)), not \(brief(blob.candidates))")
        }
        if !counter.read(stored.counter) {
            let value = stored.counter.map { "\($0)" } ?? "nothing"
            faults.append("the counter of task \(task) is \(value), not in \(counter.range)")
        }
        return faults
    }
}
