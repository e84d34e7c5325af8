#!/usr/bin/env python3
"""Writes the table r1i_unicode_runs of r1.h: general categories as runs of code points.

usage: tools/unicode.py RANGES.json           print the table
       tools/unicode.py RANGES.json --check   compare it with the one in r1.h

RANGES.json holds {"groups": {"L": [[first, last], ...], "M": ..., "N": ..., "P": ..., "S": ...}} of
one version of Unicode, as derived from its UnicodeData.txt. A run is 8 * (code points) + class, and
the runs follow each other from U+0000 to U+10FFFF. Exit status: 0 printed or equal, 1 different,
2 usage.
"""
import json, os, re, sys

CLASSES = {'L': 1, 'M': 2, 'N': 3, 'P': 4, 'S': 5}  # as enum r1i_char_class; the rest is 0
WIDTH = 100


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


def table(groups):
    lines, line = [], '   '
    for length, kind in runs(groups):
        word = f' {8 * length + kind},'
        if len(line) + len(word) > WIDTH:
            lines.append(line)
            line = '   '
        line += word
    return '\n'.join(lines + [line])


def main(arguments):
    if len(arguments) not in (1, 2) or arguments[1:] not in ([], ['--check']):
        print(__doc__, file=sys.stderr)
        return 2
    with open(arguments[0], encoding='utf-8') as file:
        wanted = table(json.load(file)['groups'])
    if len(arguments) == 1:
        print(wanted)
        return 0
    header = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'r1.h')
    with open(header, encoding='utf-8') as file:
        found = re.search(r'r1i_unicode_runs\[\] = \{(.*?)\};', file.read(), re.S)
    same = found and found.group(1).split() == wanted.split()
    print('unicode: the table of r1.h is', 'the same' if same else 'another one')
    return 0 if same else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
