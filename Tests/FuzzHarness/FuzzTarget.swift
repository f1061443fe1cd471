// SPDX-License-Identifier: Apache-2.0

/// A kind of input, and the properties that must hold for every input of this kind.
///
/// The raw value is the name of the kind on the command line, and the name of its folder in the corpus.
package protocol FuzzTarget: RawRepresentable<String>, CaseIterable, Sendable {
    /// Whether the properties are checked on code with a fault that was made on purpose. Such a target has no corpus.
    var isControl: Bool { get }

    /// The parts that have a meaning in such an input.
    var words: [[UInt8]] { get }

    /// Generates an input that is not derived from the corpus.
    func fresh(using random: inout SeededRandom) -> [UInt8]

    /// Checks the properties of an input.
    ///
    /// - Throws: ``Violation``. An input that traps or hangs is a violation too, but cannot be thrown.
    func check(_ input: [UInt8]) throws
}

extension FuzzTarget {
    package var isControl: Bool { false }
}
