// SPDX-License-Identifier: Apache-2.0

import BurstPoolPostgres
import FuzzHarness

/// A kind of input.
package enum PostgresInput: String, FuzzTarget {
    /// A value in a row. The first byte chooses its type, and the second byte its format: binary if it is odd, else text.
    case value
    /// A value of Swift as a parameter. The first byte chooses its type, and the others make up the value.
    case parameter
    /// The input is a URL, or a connection string of the form `host=… dbname=…`.
    case url
    /// libpq's text about a failure to connect, parts of which the server has sent. The first byte has the other
    /// circumstances of the failure.
    case failure

    // Controls: decoders with a fault that the properties must notice.

    /// A decoder that reads one byte too many.
    case readsBeyond = "control-reads-beyond"
    /// A decoder that reads another value than was encoded, if the value is large.
    case readsWrong = "control-reads-wrong"
    /// A decoder that throws an error of another type.
    case throwsOther = "control-throws-other"
    /// A parser of connection strings whose errors quote the whole string.
    case quotesAll = "control-quotes-all"

    package static let allCases: [PostgresInput] = [.value, .parameter, .url, .failure]

    package var isControl: Bool { !Self.allCases.contains(self) }

    package func check(_ input: [UInt8]) throws {
        switch self {
        case .value: try ValueProperties(input).check(ValueReader.all)
        case .parameter: try ParameterProperties(input).check()
        case .url: try URLProperties(string: String(decoding: input, as: UTF8.self)).check()
        case .failure: try FailureProperties(input).check()
        case .readsBeyond: try ValueProperties(input).check([ValueReader(ReadsBeyond.self, exactFor: [])])
        case .readsWrong: try ValueProperties(input).check([ValueReader(ReadsWrong.self, exactFor: [.int8])])
        case .throwsOther: try ValueProperties(input).check([ValueReader(ThrowsOther.self, exactFor: [])])
        case .quotesAll:
            try URLProperties(string: String(decoding: input, as: UTF8.self), parse: QuotesAll.parse).check()
        }
    }

    package func fresh(using random: inout SeededRandom) -> [UInt8] {
        func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(random.number(0...255)) } }
        let words = words
        switch self {
        case .value, .readsBeyond, .readsWrong, .throwsOther: return RandomValue.input(using: &random)
        case .parameter: return bytes(random.number(1...40))
        case .url, .quotesAll:
            let scheme = random.element(of: ["postgresql://", "postgres://", "postgresq://", ""])
            return Array(scheme.utf8) + (0..<random.number(0...10)).flatMap { _ in random.element(of: words) }
        case .failure:
            return bytes(1) + (0..<random.number(0...10)).flatMap { _ in random.element(of: words) }
        }
    }

    package var words: [[UInt8]] {
        switch self {
        case .value, .readsBeyond, .readsWrong, .throwsOther: Words.ofValues
        case .parameter: Words.ofParameters
        case .url, .quotesAll: Words.ofURLs
        case .failure: Words.ofFailures
        }
    }
}
