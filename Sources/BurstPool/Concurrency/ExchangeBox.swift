// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A lock-free box for one reference-counted object, which a thread takes out before it uses it.
///
/// Swift cannot load a reference and retain it in one atomic step, so no thread ever reads the content in place. A thread
/// that finds the box empty may have come while another thread has the content out; every use says what it does then.
///
/// All operations acquire and release: the thread that takes an object out sees everything that was written before the
/// object was put in. Memory of zeros is an empty box.
struct ExchangeBox<Object: AnyObject & Sendable>: ~Copyable, Sendable {
    private let content: Atomic<Unmanaged<Object>?>

    init(_ object: Object? = nil) {
        content = Atomic(object.map { Unmanaged.passRetained($0) })
    }

    deinit {
        content.load(ordering: .acquiring)?.release()
    }

    /// Takes the content out. Returns `nil` if the box is empty.
    func take() -> Object? {
        content.exchange(nil, ordering: .acquiringAndReleasing)?.takeRetainedValue()
    }

    /// Puts an object in. Returns what was there before.
    @discardableResult
    func put(_ object: Object) -> Object? {
        content.exchange(Unmanaged.passRetained(object), ordering: .acquiringAndReleasing)?.takeRetainedValue()
    }

    /// Puts an object in if the box is empty. Returns whether it was.
    func putIfEmpty(_ object: Object) -> Bool {
        let retained = Unmanaged.passRetained(object)
        let (exchanged, _) = content.compareExchange(
            expected: nil,
            desired: retained,
            ordering: .acquiringAndReleasing
        )
        if !exchanged { retained.release() }
        return exchanged
    }

    /// Removes this object if it is the content.
    ///
    /// The caller holds a reference, so the address cannot belong to another object meanwhile.
    func remove(_ object: Object) {
        let unretained = Unmanaged.passUnretained(object)
        let (exchanged, _) = content.compareExchange(
            expected: unretained,
            desired: nil,
            ordering: .acquiringAndReleasing
        )
        if exchanged { unretained.release() }
    }
}
