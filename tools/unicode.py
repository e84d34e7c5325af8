#!/usr/bin/env python3
"""Writes the tables of r1.h that come from Unicode.

usage: tools/unicode.py RANGES.json           print r1i_unicode_runs: general categories as runs
       tools/unicode.py --nfc                 print r1i_nfc_parts and r1i_nfc_orders
       tools/unicode.py ... --check           compare with the tables in r1.h instead

RANGES.json holds {"groups": {"L": [[first, last], ...], "M": ..., "N": ..., "P": ..., "S": ...}} of
one version of Unicode, as derived from its UnicodeData.txt. A run is 8 * (code points) + class, and
the runs follow each other from U+0000 to U+10FFFF. --nfc takes Python's unicodedata of version 14.0
without what came after 9.0, the version that Hugging Face's tokenizers knows. Exit status: 0 printed
or equal, 1 different, 2 usage or another version.
"""
import json, os, re, sys, unicodedata

CLASSES = {'L': 1, 'M': 2, 'N': 3, 'P': 4, 'S': 5}  # as enum r1i_char_class; the rest is 0
WIDTH = 100
# Characters after Unicode 9.0 that have parts or a place in the order of marks.
LATER = ('7fd 898-89f 8ca-8d3 9fe c3c d3b-d3c eba 1715 1abf-1ace 1df6-1dfa a82c 10d24-10d27 '
         '10eab-10eac 10f46-10f50 10f82-10f85 11070 1133b 1145e 11839-1183a 11938 1193d-1193e 11943 '
         '119e0 11a34 11a47 11a99 11d42 11d44-11d45 11d97 16ff0-16ff1 1e130-1e136 1e2ae 1e2ec-1e2ef')


def runs(groups):
    """[(length, class)] over all code points; neighbours differ in their class."""
    ranges = sorted((first, last, CLASSES[name]) for name in CLASSES for first, last in groups[name])
    out, at = [], 0
    for first, last, kind in ranges + [(0x110000, 0x110000, None)]:
        if first < at:
            raise ValueError(f'U+{first:04X} is in two groups')
        if first > at:
            out.append([first - at, 0])
        if kind is None:
            return out
        if out and out[-1][1] == kind and first == at:
            out[-1][0] += last - first + 1
        else:
            out.append([last - first + 1, kind])
        at = last + 1


def lines(words, join, begin, end):
    """Words in lines of the header's width."""
    out, line = [], begin
    for word in words:
        if len(line) + len(join) + len(word) + len(end) > WIDTH:
            out.append(line + end)
            line = begin
        line += join + word
    return '\n'.join(out + [line + end])


def table(groups):
    return lines([f'{8 * length + kind},' for length, kind in runs(groups)], ' ', '   ', '')


def packed(number):
    """A number as the characters of r1i_packed_next: the last digit below 65, before it of 25."""
    text, number = chr(35 + number % 65), number // 65
    while number:
        text, number = chr(35 + 65 + number % 25) + text, number // 25
    return ''.join(chr(ord(c) + (c >= '?') + (c >= '[')) for c in text)  # no trigraph, no escape


def signed(number):
    return packed(2 * number if number >= 0 else -2 * number - 1)


def parts_and_orders():
    """Both tables of NFC. A part: 3 * (code point - the one before) + kind, then its parts as
    differences to those before; a run of orders: the gap before it, its length, its class."""
    later, parts, before, spans, end = set(), [], [0, 0, 0], [], 0
    for span in LATER.split():
        first, _, last = span.partition('-')
        later.update(range(int(first, 16), int(last or first, 16) + 1))
    for code in (c for c in range(0x110000) if c not in later):
        pieces, order = unicodedata.decomposition(chr(code)).split(), unicodedata.combining(chr(code))
        if pieces and pieces[0][0] != '<':
            new = [code] + [int(piece, 16) for piece in pieces]
            kind = len(pieces) - 1 + (unicodedata.normalize('NFC', chr(code)) == chr(code))
            parts.append(packed(3 * (code - before[0]) + kind) +
                         ''.join(signed(b - a) for a, b in zip(before[1:], new[1:])))
            before[:len(new)] = new
        if order and code == end and spans[-1][2] == order:
            spans[-1][1] += 1
            end += 1
        elif order:
            spans.append([code - end, 1, order])
            end = code + 1
    orders = [''.join(map(packed, span)) for span in spans]
    return [lines(words, '', '    "', '",') for words in (parts, orders)]


def check(name, wanted):
    header = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'r1.h')
    with open(header, encoding='utf-8') as file:
        found = re.search(name + r'\[\] = \{(.*?)\};', file.read(), re.S)
    same = found and found.group(1).split() == wanted.split()
    print(f'unicode: {name} of r1.h is', 'the same' if same else 'another one')
    return same


def main(arguments):
    if len(arguments) not in (1, 2) or arguments[1:] not in ([], ['--check']):
        print(__doc__, file=sys.stderr)
        return 2
    if arguments[0] == '--nfc':
        if unicodedata.unidata_version != '14.0.0':
            print(f'unicode: Python has Unicode {unicodedata.unidata_version}, 14.0.0 is needed '
                  '(Python 3.11)', file=sys.stderr)
            return 2
        tables = dict(zip(['r1i_nfc_parts', 'r1i_nfc_orders'], parts_and_orders()))
    else:
        with open(arguments[0], encoding='utf-8') as file:
            tables = {'r1i_unicode_runs': table(json.load(file)['groups'])}
    if len(arguments) == 1:
        print('\n\n'.join(tables.values()))
        return 0
    return 0 if all([check(*item) for item in tables.items()]) else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
