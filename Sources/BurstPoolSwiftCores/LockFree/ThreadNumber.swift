// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
    public import Darwin
#elseif canImport(Musl)
    public import Musl
#else
    public import Glibc
#endif
import Synchronization

/// A small number for each thread, given out in the order of the first calls, and then the same in each call.
///
/// Swift has no thread-local variables, so the number is stored with `pthread_setspecific`. A hash of `pthread_self()`
/// needs a call of the same cost (3 ns each, measured on x86-64 Linux) and lets threads collide by chance: two threads
/// with four stripes share one in a quarter of all runs, and then compete for its cache line. Successive numbers never
/// do that to the first threads of a process. The core in C uses the number of the CPU instead, which two threads never
/// share at the same time, but Swift cannot read where the kernel stores it.
@usableFromInline
struct ThreadNumber: Sendable {
    @usableFromInline let key: pthread_key_t

    /// One key serves all pools of the process. `nil` if the system had none left.
    static let shared: ThreadNumber? = {
        var key = pthread_key_t()
        return pthread_key_create(&key, nil) == 0 ? ThreadNumber(key: key) : nil
    }()

    init(key: pthread_key_t) {
        self.key = key
    }

    @inlinable @inline(__always)
    var current: UInt {
        let onePlusNumber = UInt(bitPattern: pthread_getspecific(key))
        return onePlusNumber != 0 ? onePlusNumber &- 1 : assign()
    }

    private static let given = Atomic<UInt>(0)

    @usableFromInline @inline(never)
    func assign() -> UInt {
        let number = Self.given.wrappingAdd(1, ordering: .relaxed).oldValue
        // If this fails, the thread asks for another number next time, and everything is still correct.
        pthread_setspecific(key, UnsafeRawPointer(bitPattern: number &+ 1))
        return number
    }
}
