#!/usr/bin/env python3
"""Checks the house rules on the sources: form, budget, rooms, documentation.

usage: tools/check.py                 check the whole tree
       tools/check.py --no-format     the same without clang-format
       tools/check.py --longest N     list the N longest functions of r1.h

Exit status: 0 all rules hold, 1 a rule is broken (each line names file, line and rule), 2 usage.
A scanner and not a parser: it relies on the layout that clang-format gives.
"""
import glob, gzip, json, os, re, shutil, statistics, subprocess, sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WIDTH, FUNCTION, KERNEL, MEDIAN, COMMENTS, DOC = 100, 120, 150, 20, 0.20, 8
LITERALS, TEXT = 256, 4000  # numbers in one initializer, characters in one string
ANSWER = 8  # characters that make an answer of the data one that a string must not hold

BANNED = 'strcpy strcat sprintf vsprintf sscanf atoi strtok alloca gets'.split()
# Functions of r1.h that may use the C library's memory directly.
MEMORY = {
    'r1i_libc_alloc': 'the default of the memory hook',
    'r1i_libc_free': 'the default of the memory hook',
    'r1i_ranks_all_reduce': 'a rank has no context of its own',
}
# Names of r1.h whose initializer or string may be large.
DATA = {'r1i_unicode_runs', 'r1i_nfc_parts', 'r1i_nfc_orders'}  # written by tools/unicode.py
# Where an absolute path may begin, and e-mail addresses and other paths: traces of one machine.
SYSTEM = 'bin dev etc lib opt proc sys usr'.split()
TRACE = re.compile(r'(?<![\w.)\]}>"\'*:/-])["\'(]?/(?!(?:%s)/)\w+/\w|'
                   r'\b[\w.+-]+@[\w-]+\.[a-z]{2,}\b' % '|'.join(SYSTEM))

problems = []


def report(path, line, text):
    problems.append(f'{path}:{line}: {text}')


def blank(text):
    """The text with comments and literals replaced by spaces, and a mark for each character:
    'c' comment, 's' literal, ' ' code."""
    token = re.compile(r'//(?:\\\n|[^\n])*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'
                       r"(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])*'", re.S)
    code, mark, at = [], [], 0
    for m in token.finditer(text):
        kind = 'c' if m.group()[0] == '/' else 's'
        code += [text[at:m.start()], re.sub(r'[^\n]', ' ', m.group())]
        mark += [' ' * (m.start() - at), kind * len(m.group())]
        at = m.end()
    return ''.join(code) + text[at:], ''.join(mark) + ' ' * (len(text) - at)


class Source:
    def __init__(self, path):
        self.path = path
        with open(os.path.join(ROOT, path), 'rb') as file:
            self.text = file.read().decode('latin-1')
        self.lines = self.text.split('\n')
        self.code, self.mark = blank(self.text)
        self.code_lines = self.code.split('\n')
        self.functions = list(self.find_functions())

    def find_functions(self):
        """(name, first line, last line, is a kernel) of each function, lines from 1. The sides of
        an #if are read one after the other, each from the state at its #if."""
        depth, head, start, stack, macro, name = 0, '', 0, [], False, None
        for number, line in enumerate(self.code_lines, 1):
            if macro or line.lstrip().startswith('#'):
                if not macro:
                    word = re.match(r'\s*#\s*(\w*)', line).group(1)
                    if word.startswith('if'):
                        stack.append((depth, head, start, name))
                    elif word.startswith('el') and stack:
                        depth, head, start, name = stack[-1]
                    elif word == 'endif' and stack:
                        stack.pop()
                macro = line.endswith('\\')
                continue
            for ch in line:
                if ch == '{':
                    if depth == 0 and re.search(r'\bextern\s*$', head):
                        head = ''  # extern "C" {
                        continue
                    if depth == 0:
                        name = self.function_name(head)
                    depth += 1
                elif ch == '}':
                    depth = max(0, depth - 1)
                    if depth == 0:
                        if name:
                            yield name, start, number, '__global__' in head
                        name, head = None, ''
                elif depth == 0:
                    if ch == ';':
                        head = ''
                    else:
                        if not head.strip():
                            start, head = number, ''
                        head += ch
            if depth == 0:
                head += ' '

    @staticmethod
    def function_name(head):
        head = re.sub(r'__attribute__\s*\(\(.*?\)\)\s|\bR1I?_[A-Z]+\([\w, ]*\)(?=\s+[\w*])', ' ',
                      head)
        wrapped = re.search(r'\b[A-Z][A-Z0-9_]*\((\w+)\)\s*(\(|$)', head)
        m = wrapped or re.search(r'([A-Za-z_]\w*)\s*\([^{}]*\)\s*$', head)
        if not m or re.search(r'[^=!<>]=[^=]', head):
            return None
        return wrapped.group(1) if wrapped else re.search(r'([A-Za-z_]\w*)\s*\(', head).group(1)

    def function_at(self, line):
        return next((f[0] for f in self.functions if f[1] <= line <= f[2]), '')


def check_form(source):
    path, is_library = source.path, not source.path.startswith(('tests/', 'bench/'))
    for number, line in enumerate(source.lines, 1):
        if len(line) > WIDTH:
            report(path, number, f'{len(line)} columns, at most {WIDTH}')
        if '\t' in line:
            report(path, number, 'a tab')
        if line != line.rstrip():
            report(path, number, 'trailing space')
        if not line.isascii():
            report(path, number, 'not ASCII')
        if re.search(r'\b(TODO|FIXME|XXX)\b', line):
            report(path, number, 'unfinished work: TODO, FIXME or XXX')
        for name in re.findall(r'\b(%s)\s*\(' % '|'.join(BANNED), source.code_lines[number - 1]):
            report(path, number, f'banned function {name}')
        if is_library and not line.startswith('#include') and TRACE.search(line):
            report(path, number, f'a path or address that does not belong: {line.strip()}')
    for name, first, last, kernel in source.functions:
        if last - first + 1 > (KERNEL if kernel else FUNCTION):
            report(path, first, f'{name} has {last - first + 1} lines')
    if is_library:
        for m in re.finditer(r'(\w+)(?:\[[^\]]*\])*\s*=\s*\{([^;]*?)\}\s*;', source.code, re.S):
            numbers = len(re.findall(r'(?<![\w.])-?\.?\d[\w.+-]*', m.group(2)))
            if numbers > LITERALS and m.group(1) not in DATA:
                report(path, source.code.count('\n', 0, m.start()) + 1,
                       f'a data literal of {numbers} numbers: compute it, or name it in DATA')
        for m in re.finditer(r's(?:[s\s]*s)?', re.sub(r'[^s\n]', lambda c: 'x' if
                             source.code[c.start()] not in ' \n' else ' ', source.mark)):
            if m.group().count('s') > TEXT and source.function_at(
                    source.text.count('\n', 0, m.start()) + 1) not in DATA:
                report(path, source.text.count('\n', 0, m.start()) + 1, 'a data literal: long text')


def check_budget(source):
    comment = code = at = 0
    for line in source.lines:
        mark, at = source.mark[at:at + len(line)], at + len(line) + 1
        comment += 'c' in mark
        code += any(k != 'c' and not ch.isspace() for k, ch in zip(mark, line))
    if comment / max(1, code) < COMMENTS:
        report(source.path, 1, f'comment/code is {comment / code:.2f}, at least {COMMENTS}')
    lengths = [last - first + 1 for _, first, last, _ in source.functions]
    if source.path == 'r1.h' and lengths and statistics.median(lengths) > MEDIAN:
        report(source.path, 1, f'median function has {statistics.median(lengths):.0f} lines')
    return f'{source.path}: {len(source.lines) - 1} lines, {len(lengths)} functions, median ' \
           f'{statistics.median(lengths or [0]):.0f}, longest {max(lengths or [0])}, ' \
           f'comment/code {comment / max(1, code):.2f}'


def check_rooms(source):
    """Room order on both floors, and no use of a function whose room comes later."""
    floor_at = next((i for i, l in enumerate(source.lines) if l == '// IMPLEMENTATION'), 0)
    floors, room_at, now, depth, outer = ([], []), [], None, 0, None
    for number, line in enumerate(source.lines):
        word = re.match(r'#\s*(if|endif|el)', line)
        depth += {'if': 1, 'endif': -1}.get(word.group(1), 0) if word else 0
        if word and re.search(r'#\s*if.*(?<!!defined )\bR1I_SIMD_PASS\b', line) and \
                not line.startswith('#ifndef'):
            outer, now = (depth, now), 'simd'  # bodies that the header includes again belong there
        elif outer and word and depth + (word.group(1) == 'el') <= outer[0]:
            outer, now = None, outer[1]
        m = re.match(r'// =+ \[(\w+)\] =+$', line)
        if number == floor_at:
            now = None
        if m:
            now = m.group(1)
            floor = floors[number >= floor_at]
            if now in floor and now != 'simd':  # [simd] may be cut by the self-inclusion
                report(source.path, number + 1, f'room [{now}] appears twice on a floor')
            elif now not in floor:
                floor.append(now)
        room_at.append(now)
    above, below = [r for r in floors[0] if r != 'title'], floors[1]
    if above != [r for r in below if r in above]:
        report(source.path, floor_at, f'rooms are in another order on the two floors, or missing: '
               f'{" ".join(above)} / {" ".join(below)}')
    home = {}
    for name, first, _, _ in source.functions:
        if first > floor_at and room_at[first - 1]:
            home.setdefault(name, room_at[first - 1])
    for name, first, last, _ in source.functions:
        here = room_at[first - 1]
        if first <= floor_at or not here:
            continue
        for number in range(first, last + 1):
            for callee in re.findall(r'(?<![.>\w])r1i?_\w+', source.code_lines[number - 1]):
                there = home.get(callee)
                if there and below.index(there) > below.index(here):
                    report(source.path, number, f'room [{here}] calls {callee} of the later room '
                           f'[{there}]')


def check_memory(source):
    for number, line in enumerate(source.code_lines, 1):
        m = re.search(r'(?<![.>\w])(malloc|calloc|realloc|free)\s*\(', line)
        if m and source.function_at(number) not in MEMORY:
            report(source.path, number, f'{m.group(1)} outside the memory hook')


def check_documented(source):
    """Every public declaration follows a comment, of its own or of the group it stands in."""
    end = next((i for i, l in enumerate(source.lines) if l == '// IMPLEMENTATION'), 0)
    documented, comment, depth = False, 0, 0
    for number in range(end):
        line, code = source.lines[number], source.code_lines[number]
        if depth == 0:
            if line.startswith('// ===='):
                documented, comment = False, -1  # the banner's own text is not counted
            elif line.startswith('//'):
                comment += comment >= 0
                documented = comment > 0
            elif not line.strip():
                documented, comment = False, 0
            elif not code.startswith('#'):
                m = re.match(r'(R1_DEF|typedef|struct|enum|union)\b', code)
                if m:
                    name = re.search(r'\b(r1_\w+)\s*\(|(r1_\w+)', code[m.end():])
                    name = name and (name.group(1) or name.group(2)) or 'enum'
                    if not documented and '//' not in line:
                        report(source.path, number + 1, f'{name} has no comment')
                    if comment > DOC:
                        report(source.path, number + 1, f'{name} has a comment of {comment} lines')
                comment = 0
        if not code.startswith('#'):
            depth = max(0, depth + code.count('{') - code.count('}'))
            if 'extern' in code and '{' in code:
                depth = 0


def data_texts(folder):
    """The expected and given answers of all rows in a folder of data, and where each stands."""
    for path in sorted(glob.glob(os.path.join(folder, '*.jsonl*'))):
        with (gzip.open(path, 'rt') if path.endswith('.gz') else open(path)) as file:
            for number, line in enumerate(file, 1):
                row = json.loads(line)
                for key in ('gold', 'pred', 'answer', 'latex', 'sympy'):
                    for text in row[key] if isinstance(row.get(key), list) else [row.get(key)]:
                        if isinstance(text, str):
                            yield text.strip().strip('$'), f'{os.path.basename(path)}:{number}'


def check_data(source):
    """No answer of the data stands in a string of the library, so that it cannot know the cases.
    A text counts from ANSWER characters on, when it is no word, no command and no number."""
    folder = os.environ.get('R1_TEST_DATA')
    if not folder:
        return 'data: R1_TEST_DATA is not set, literals were not compared with the data'
    plain = re.compile(r'\\?[a-zA-Z]+|\\mathbb\{[A-Z]\}|[\d.,]+')
    strings, starts = '', []
    for m in re.finditer(r'"((?:\\.|[^"\\\n])*)"', source.text):
        if source.mark[m.start()] == 's':
            starts.append((len(strings), source.text.count('\n', 0, m.start()) + 1))
            strings += re.sub(r'\\(.)', r'\1', m.group(1)) + '\n'
    seen = set()
    for text, place in data_texts(folder):
        if text in seen or len(text) < ANSWER or plain.fullmatch(text):
            continue
        seen.add(text)
        at = strings.find(text)
        if at >= 0:
            line = max(row for start, row in starts if start <= at)
            report(source.path, line, f'the text of {place} stands in a string: {text[:60]}')
    return f'data: {len(seen)} answers were looked for in the strings of {source.path}'


def check_format(paths):
    if not shutil.which('clang-format'):
        return 'clang-format: not installed, layout not checked'
    version = subprocess.run(['clang-format', '--version'], capture_output=True, text=True).stdout
    if ' 14.' not in version:
        return 'clang-format: the layout is checked with version 14 only'
    for path in paths:
        out = subprocess.run(['clang-format', '--dry-run', path], capture_output=True, text=True,
                             cwd=ROOT).stderr
        for number in sorted({int(n) for n in re.findall(r'^\S+?:(\d+):\d+: warning', out, re.M)}):
            report(path, number, 'not as clang-format writes it')
    return 'clang-format: version 14'


def main(arguments):
    os.chdir(ROOT)
    if arguments[:1] == ['--longest'] and len(arguments) == 2 and arguments[1].isdigit():
        rows = sorted(Source('r1.h').functions, key=lambda f: f[1] - f[2])
        for name, first, last, _ in rows[:int(arguments[1])]:
            print(f'{last - first + 1:5d}  {name}  (r1.h:{first})')
        return 0
    if arguments not in ([], ['--no-format']):
        print(__doc__, file=sys.stderr)
        return 2
    paths = sorted(p for pattern in ('r1.h', 'r1_cuda.cu', 'r1_nccl.h', 'examples/*.c',
                                     'tests/**/*.[ch]', 'tests/**/*.cc', 'bench/*.c')
                   for p in glob.glob(pattern, recursive=True))
    notes = []
    for path in paths:
        source = Source(path)
        check_form(source)
        if path in ('r1.h', 'r1_cuda.cu'):
            notes.append(check_budget(source))
        if path == 'r1.h':
            check_rooms(source)
            check_memory(source)
            notes.append(check_data(source))
            check_documented(source)
    for path in glob.glob('*.md') + glob.glob('docs/**/*.md', recursive=True):
        with open(path, encoding='utf-8') as file:
            for number, line in enumerate(file, 1):
                if TRACE.search(line):
                    report(path, number, 'a path or address that does not belong')
    for prefix, unit in (('test', 'tests/main.c'), ('double', 'tests/double.c')):
        listed = open(unit).read() if os.path.exists(unit) else ''
        for path in glob.glob(f'tests/{prefix}_*.c'):
            if f'"{os.path.basename(path)}"' not in listed:
                report(unit, 1, f'{os.path.basename(path)} is not included')
    if not arguments:
        notes.append(check_format(paths))
    print('\n'.join(problems + notes))
    print(f'check: {len(paths)} sources, {len(problems)} problems')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
