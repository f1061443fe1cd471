// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import BurstPoolDemo

@Suite("The ledger of a task", .timeLimit(.minutes(5)))
struct LedgerTests {
    private let old = Array("old".utf8)
    private let new = Array("new".utf8)
    private let foreign: [UInt8] = [0]

    @Test("a confirmed write leaves one possible value")
    func confirmed() {
        var value = UncertainValue()
        #expect(!value.exists)
        value.willBecome(old)
        value.became(old)
        #expect(value.exists)
        #expect(value.read(nil) == false)
        #expect(value.read(foreign) == false)
        #expect(value.read(old) == true)
    }

    @Test("a write whose reply was lost leaves two possible values, and a read decides")
    func lost() {
        var value = UncertainValue()
        value.became(old)
        value.willBecome(new)
        var other = value
        #expect(value.read(foreign) == false)
        #expect(value.read(new) == true)
        #expect(value.read(old) == false)
        #expect(other.read(old) == true)
        #expect(other.read(new) == false)
    }

    @Test("an increment whose reply was lost may have happened once or not at all")
    func lostIncrement() {
        var counter = UncertainCounter()
        counter.willIncrement()
        counter.willIncrement()
        for answer in [1, 2] {
            var counter = counter
            #expect(counter.answered(answer) == true)
            #expect(counter.range == answer...answer)
        }
        #expect(counter.answered(0) == false)
        #expect(counter.answered(3) == false)
        #expect(counter.read(nil) == true)
        #expect(counter.read(1) == false)
    }

    @Test("increments in a pipeline are answered in order")
    func pipelinedIncrements() {
        var counter = UncertainCounter()
        counter.willIncrement(by: 2)
        #expect(counter.answered(2, pending: 1) == false)
        #expect(counter.answered(1, pending: 1) == true)
        #expect(counter.answered(1) == false)
        #expect(counter.answered(2) == true)
        #expect(counter.range == 2...2)
    }

    @Test("an audit names each wrong value")
    func audit() {
        var ledger = Ledger(task: 3)
        ledger.text.became(old)
        var copy = ledger
        #expect(copy.audit(StoredValues(text: old)).isEmpty)
        let faults = ledger.audit(StoredValues(text: new, blob: foreign, counter: 7))
        #expect(
            faults == [
                "the text of task 3 is 'new', not 'old'", "the blob of task 3 is 1 bytes (0 …), not nothing",
                "the counter of task 3 is 7, not in 0...0",
            ]
        )
    }
}
