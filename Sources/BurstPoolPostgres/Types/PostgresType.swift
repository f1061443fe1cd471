// SPDX-License-Identifier: Apache-2.0

/// A type of PostgreSQL, by its object identifier.
///
/// The built-in types have fixed identifiers. Types that a database defines itself, such as enumerations, have others.
public struct PostgresType: Hashable, Sendable {
    /// The object identifier, as in the system catalogue `pg_type`.
    public let oid: UInt32

    @inlinable
    public init(oid: UInt32) {
        self.oid = oid
    }

    @inlinable
    public static func == (left: PostgresType, right: PostgresType) -> Bool { left.oid == right.oid }

    @inlinable public static var bool: PostgresType { PostgresType(oid: 16) }
    @inlinable public static var bytea: PostgresType { PostgresType(oid: 17) }
    @inlinable public static var char: PostgresType { PostgresType(oid: 18) }
    @inlinable public static var name: PostgresType { PostgresType(oid: 19) }
    @inlinable public static var int8: PostgresType { PostgresType(oid: 20) }
    @inlinable public static var int2: PostgresType { PostgresType(oid: 21) }
    @inlinable public static var int4: PostgresType { PostgresType(oid: 23) }
    @inlinable public static var text: PostgresType { PostgresType(oid: 25) }
    @inlinable public static var oid: PostgresType { PostgresType(oid: 26) }
    @inlinable public static var json: PostgresType { PostgresType(oid: 114) }
    @inlinable public static var float4: PostgresType { PostgresType(oid: 700) }
    @inlinable public static var float8: PostgresType { PostgresType(oid: 701) }
    @inlinable public static var unknown: PostgresType { PostgresType(oid: 705) }
    @inlinable public static var bpchar: PostgresType { PostgresType(oid: 1042) }
    @inlinable public static var varchar: PostgresType { PostgresType(oid: 1043) }
    @inlinable public static var date: PostgresType { PostgresType(oid: 1082) }
    @inlinable public static var timestamp: PostgresType { PostgresType(oid: 1114) }
    @inlinable public static var timestamptz: PostgresType { PostgresType(oid: 1184) }
    @inlinable public static var numeric: PostgresType { PostgresType(oid: 1700) }
    @inlinable public static var void: PostgresType { PostgresType(oid: 2278) }
    @inlinable public static var uuid: PostgresType { PostgresType(oid: 2950) }
    @inlinable public static var jsonb: PostgresType { PostgresType(oid: 3802) }

    /// The types whose binary format this package reads, and the types of their arrays.
    ///
    /// If a query returns a column of another type, all its columns are read in the text format, because libpq asks for
    /// the same format for all columns.
    private static let known: [UInt32: (name: String, arrayOID: UInt32)] = [
        16: ("bool", 1000), 17: ("bytea", 1001), 18: ("\"char\"", 1002), 19: ("name", 1003), 20: ("int8", 1016),
        21: ("int2", 1005), 23: ("int4", 1007), 25: ("text", 1009), 26: ("oid", 1028), 114: ("json", 199),
        700: ("float4", 1021), 701: ("float8", 1022), 705: ("unknown", 0), 1042: ("bpchar", 1014),
        1043: ("varchar", 1015), 1082: ("date", 1182), 1114: ("timestamp", 1115), 1184: ("timestamptz", 1185),
        1700: ("numeric", 1231), 2278: ("void", 0), 2950: ("uuid", 2951), 3802: ("jsonb", 3807),
    ]
    private static let elements: [UInt32: UInt32] = Dictionary(
        uniqueKeysWithValues: known.filter { $0.value.arrayOID != 0 }.map { ($0.value.arrayOID, $0.key) }
    )

    /// The type of the elements, if this is an array of one of the types above.
    public var element: PostgresType? { Self.elements[oid].map(PostgresType.init(oid:)) }

    /// Whether this package reads the type's binary format.
    var hasKnownBinaryFormat: Bool { Self.known[oid] != nil || Self.elements[oid] != nil }

    /// Whether the binary format of the type is its text in UTF-8.
    @inlinable
    var isText: Bool {
        switch self {
        case .text, .varchar, .bpchar, .name, .char, .unknown, .json: true
        default: false
        }
    }
}

extension PostgresType: CustomStringConvertible {
    /// The name of the type, or `type 12345` for one that a database defines itself.
    public var description: String {
        if let known = Self.known[oid] { return known.name }
        return element.map { "\($0)[]" } ?? "type \(oid)"
    }
}
