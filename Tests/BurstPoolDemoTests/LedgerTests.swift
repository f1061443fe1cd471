import BurstPoolRedis
import Testing

@testable import BurstPoolDemo

@Suite("What a task knows about its keys", .timeLimit(.minutes(5)))
struct LedgerTests {
    private let old = Array("old".utf8)
    private let new = Array("new".utf8)
    private let foreign: [UInt8] = [0]

    @Test("a confirmed write leaves one right value")
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

    @Test("a write whose reply was lost leaves two, and reading tells which")
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

    @Test("an increment whose reply was lost may have happened or not, but not twice")
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

    @Test("increments in a pipeline are answered one after the other")
    func pipelinedIncrements() {
        var counter = UncertainCounter()
        counter.willIncrement(by: 2)
        #expect(counter.answered(2, pending: 1) == false)
        #expect(counter.answered(1, pending: 1) == true)
        #expect(counter.answered(1) == false)
        #expect(counter.answered(2) == true)
        #expect(counter.range == 2...2)
    }

    @Test("an audit names each key that is not as it should be")
    func audit() {
        var ledger = Ledger(prefix: "run", task: 3)
        ledger.text.became(old)
        var copy = ledger
        #expect(copy.audit([.bulkString(old), .null, .null]).isEmpty)
        let faults = ledger.audit([.bulkString(new), .bulkString(foreign), .bulkString(Array("7".utf8))])
        #expect(faults.count == 3)
        #expect(faults.first == "run:3:text is 'new', not 'old'")
    }
}
