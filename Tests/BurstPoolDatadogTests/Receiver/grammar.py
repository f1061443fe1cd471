# SPDX-License-Identifier: Apache-2.0

"""A strict parser of the DogStatsD protocol, which rejects everything that the published description does not allow.

It follows the description of the datagram format (with the extensions 1.1 for packed values, 1.2 and 1.5 for the origin, and
1.3 for timestamps) and the naming rules for metrics and tags. It shares no code with the client under test.
"""

import re
import unicodedata

METRIC_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9_.]*\Z")
NUMBER = re.compile(rb"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\Z")
INTEGER = re.compile(rb"[0-9]+\Z")
EVENT_HEADER = re.compile(rb"_e\{([0-9]+),([0-9]+)\}:")
METRIC_TYPES = {b"c": "count", b"g": "gauge", b"ms": "timing", b"h": "histogram", b"s": "set", b"d": "distribution"}
SAMPLED = {"count", "timing", "histogram", "distribution"}
TIMESTAMPED = {"count", "gauge"}


class GrammarError(Exception):
    pass


def require(condition, complaint):
    if not condition:
        raise GrammarError(complaint)


def parse_datagram(datagram):
    """Return the messages of a datagram, one per line. A final line feed is allowed, an empty line is not."""
    require(datagram, "the datagram is empty")
    lines = datagram.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return [parse_message(line) for line in lines]


def parse_message(line):
    require(line, "there is an empty line")
    require(b"\r" not in line, "there is a carriage return")
    if line.startswith(b"_e{"):
        return parse_event(line)
    if line.startswith(b"_sc|"):
        return parse_service_check(line)
    return parse_metric(line)


def text(raw):
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise GrammarError("not UTF-8: %r" % raw) from error


def number(raw):
    require(NUMBER.match(raw), "not a number: %r" % raw)
    return float(raw)


def seconds(raw):
    require(INTEGER.match(raw) and int(raw) > 0, "not a time: %r" % raw)
    return int(raw)


def tag(raw):
    result = text(raw)
    require(result, "there is an empty tag")
    for character in result:
        category = unicodedata.category(character)
        # "Cn" is a character that this Python does not know. It may be a letter of a later Unicode version.
        allowed = character in "_-:./" or category[0] in "LN" or category in ("Mn", "Mc", "Cn")
        require(allowed, "%r is not allowed in the tag %r" % (character, result))
    return result


def tags(raw):
    return [tag(piece) for piece in raw.split(b",")]


def fields(pieces, readers):
    """Parse fields that start with a prefix. Each is allowed at most once, in any order, and no others are allowed."""
    found = {}
    for piece in pieces:
        for prefix, (key, read) in readers.items():
            if piece.startswith(prefix):
                require(key not in found, "there are two fields %r" % prefix)
                found[key] = read(piece[len(prefix):])
                require(found[key] != "", "the field %r is empty" % prefix)
                break
        else:
            raise GrammarError("unknown field: %r" % piece)
    return found


def parse_metric(line):
    head, *pieces = line.split(b"|")
    name, colon, value = head.partition(b":")
    require(colon, "there is no value in %r" % line)
    require(METRIC_NAME.match(name), "not a metric's name: %r" % name)
    require(pieces and pieces[0] in METRIC_TYPES, "there is no type in %r" % line)
    kind = METRIC_TYPES[pieces[0]]
    found = fields(
        pieces[1:],
        {
            b"@": ("sampleRate", number),
            b"#": ("tags", tags),
            b"c:": ("containerID", text),
            b"e:": ("externalData", text),
            b"T": ("timestamp", seconds),
        },
    )
    rate = found.get("sampleRate")
    require(rate is None or (0 < rate <= 1 and kind in SAMPLED), "a sample rate of %r for a %s" % (rate, kind))
    require("timestamp" not in found or kind in TIMESTAMPED, "a timestamp for a %s" % kind)
    if kind == "set":
        require(value, "the set's member is empty")
        values = {"member": text(value)}
    else:
        values = {"values": [number(piece) for piece in value.split(b":")]}
    return {"kind": kind, "name": text(name), **values, **found}


def parse_event(line):
    header = EVENT_HEADER.match(line)
    require(header, "not the header of an event: %r" % line)
    title_length, text_length = int(header.group(1)), int(header.group(2))
    require(title_length > 0, "the title is empty")
    title_end = header.end() + title_length
    text_end = title_end + 1 + text_length
    require(line[title_end:title_end + 1] == b"|", "no '|' after the title, as long as it claims to be: %r" % line)
    require(len(line) >= text_end, "the text is shorter than it claims to be: %r" % line)
    rest = line[text_end:]
    require(rest == b"" or rest[:1] == b"|", "no '|' after the text, as long as it claims to be: %r" % line)
    found = fields(
        rest.split(b"|")[1:],
        {
            b"d:": ("timestamp", seconds),
            b"h:": ("hostname", text),
            b"k:": ("aggregationKey", text),
            b"p:": ("priority", one_of(b"normal", b"low")),
            b"s:": ("sourceType", text),
            b"t:": ("alertType", one_of(b"error", b"warning", b"info", b"success")),
            b"#": ("tags", tags),
            b"c:": ("containerID", text),
            b"e:": ("externalData", text),
        },
    )
    return {
        "kind": "event",
        "title": text(line[header.end():title_end]).replace("\\n", "\n"),
        "text": text(line[title_end + 1:text_end]).replace("\\n", "\n"),
        **found,
    }


def one_of(*words):
    def read(raw):
        require(raw in words, "%r is none of %r" % (raw, words))
        return text(raw)

    return read


def parse_service_check(line):
    pieces = line.split(b"|")
    require(len(pieces) >= 3, "a service check without a status: %r" % line)
    name, status = pieces[1], pieces[2]
    require(name, "the service check has no name")
    require(status in (b"0", b"1", b"2", b"3"), "not a status: %r" % status)
    messages = [index for index, piece in enumerate(pieces) if index > 2 and piece.startswith(b"m:")]
    require(not messages or messages == [len(pieces) - 1], "the message is not the last field: %r" % line)
    if messages:
        require(b"m:" not in pieces[-1][2:], "an 'm:' in the message is not escaped: %r" % line)
    found = fields(
        pieces[3:],
        {
            b"d:": ("timestamp", seconds),
            b"h:": ("hostname", text),
            b"#": ("tags", tags),
            b"c:": ("containerID", text),
            b"e:": ("externalData", text),
            b"m:": ("message", lambda raw: text(raw).replace("\\n", "\n").replace("m\\:", "m:")),
        },
    )
    return {"kind": "serviceCheck", "name": text(name), "status": int(status), **found}
