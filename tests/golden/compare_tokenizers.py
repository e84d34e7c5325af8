#!/usr/bin/env python3
"""Compares r1_tokenize with Hugging Face's tokenizers on random text: ids, merges of training, NFC,
and chat templates. Prints one line a comparison and ends with status 1 if any differs.

usage: compare_tokenizers.py R1_TOKENIZE [ROUNDS] [TEMPLATES]
       compare_tokenizers.py --write R1_TOKENIZE > tests/golden/tokenizers.jsonl

Needs: pip install tokenizers transformers jinja2. TEMPLATES is a folder of chat templates in files
with names as r1_tokenize --chat takes them; what follows a "_" in a name is ignored.
"""
import json, os, random, subprocess, sys, tempfile
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

WRITE = sys.argv[1] == '--write'
TOOL = os.path.abspath(sys.argv[1 + WRITE])
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 and not WRITE else 3000
SPLITS = ['deepseek-v3', 'deepseek-llm', 'deepseek-coder', 'qwen2', 'cl100k', 'gpt2', 'starcoder']
SPECIALS = ['<a>', '<|b|>', '<|b|>c', '<think>']
# What patterns tell apart: kinds of letters, marks, digits, signs, spaces and things that have no kind.
PARTS = list('aZ\u017f\u00df\u00e9\u03b1\u0416\u0627\u05d0\u0e01\u4e2d\u9fa6\u3042\u30a2\u30fc\uac00'
             '\U00010400\U0001d400\U00020000\u0301\u0e31\u200d\u200b\ufeff\U000e0001\ud7b0'
             '019\u0665\u00bd\u2167\u4e00\u3007!\'"#$-_~.,:;`\u3002\uff0c\uff01\u3000\u2018\u20ac\u00d7\u2603'
             '\U0001f600\U0001f1e9 \t\r\n\u00a0\u0085\u2028\u1680\x0b\x1c\x00\x7f\u0378')
PARTS += ["'s", "'S", "'ll", "'Re", "'\u017f", "'d", '  ', '\n\n', '\r\n', 'the', ' a', '123', '??']
# What NFC changes: marks of many orders, parts of Hangul, and what falls apart.
CODES = [chr(c) for c in range(0x110000) if not 0xd800 <= c < 0xe000]
NFC, NFD = normalizers.NFC().normalize_str, normalizers.NFD().normalize_str
MARKS = [c for c in CODES if NFD('a\u0345' + c) != 'a\u0345' + c or NFC('\u0301' + c) != '\u0301' + c]
bad = 0


def report(name, count, wrong):
    global bad
    bad += len(wrong)
    print(f'{name}: {count} compared, {len(wrong)} differ')
    for row in wrong[:2]:
        print('    ', ascii(row)[:400])


def tool(arguments, text):
    return subprocess.run([TOOL] + arguments, input=text.encode('utf-8', 'surrogatepass'),
                          capture_output=True, check=True).stdout.decode()


def rows(arguments, values):
    out = tool(arguments + ['--jsonl'], ''.join(json.dumps(v) + '\n' for v in values))
    return [json.loads(line) for line in out.splitlines()]


def random_texts(seed, n):
    rng = random.Random(seed)
    return [''.join(rng.choices(PARTS, k=rng.randint(1, 24))) for _ in range(n)]


def texts_of_marks(seed, n):
    rng = random.Random(seed)
    return [''.join(rng.choice(rng.choices([MARKS, PARTS], [3, 2])[0]) for _ in range(rng.randint(1, 24)))
            for _ in range(n)]


def corpus():
    """Words of a made-up language: overlapping, repeated, and runs that one token can end in two
    ways, which is where trainers part company."""
    rng = random.Random(7)
    words = [''.join(rng.choices('abcdeaaab', k=rng.randint(1, 9))) for _ in range(400)]
    words += ['a' * rng.randint(1, 60) for _ in range(120)]
    words += ['ab' * rng.randint(1, 30) + 'a' * rng.randint(0, 9) for _ in range(120)]
    lines = [' '.join(rng.choices(words, k=12)) for _ in range(600)]
    return '\n'.join(lines) + '\n' + ''.join(random_texts(11, 3000))


def read(path):
    return Tokenizer.from_file(path), json.load(open(path, encoding='utf-8'))


def theirs(ours, text, size):
    """Their trainer with the pre-tokenizer of our file."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = Tokenizer.from_file(ours).pre_tokenizer
    trainer = trainers.BpeTrainer(vocab_size=size, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator([text], trainer)
    return json.loads(tokenizer.to_str())['model']


def compare_split(folder, split, text):
    path = os.path.join(folder, split + '.json')
    tool(['--train', '1200', '--split', split, '--tokenizer', path], text)
    tokenizer, ours = read(path)
    other = theirs(path, text, 1200)
    wrong = [p for p in zip(ours['model']['merges'], other['merges']) if list(p[0]) != list(p[1])]
    if len(ours['model']['merges']) != len(other['merges']) or \
            ours['model']['vocab'] != other['vocab']:
        wrong.append(('vocabulary', len(ours['model']['merges']), len(other['merges'])))
    report(f'{split}, training', len(other['merges']), wrong)
    for i, special in enumerate(SPECIALS):
        ours['added_tokens'].append({'id': 1200 + i, 'content': special, 'single_word': False,
                                     'lstrip': False, 'rstrip': False, 'normalized': False,
                                     'special': True})
    normal = split == 'qwen2'
    ours['normalizer'] = {'type': 'NFC'} if normal else None
    json.dump(ours, open(path, 'w', encoding='utf-8'))
    tokenizer, _ = read(path)
    texts = random_texts(split, ROUNDS) + [text]
    if normal:
        texts += texts_of_marks(split, ROUNDS) + [c + '\u0323\u0301' for c in CODES]
    texts += [t + random.Random(t).choice(SPECIALS) + t for t in texts[:ROUNDS // 3]]
    wrong = []
    for t, row in zip(texts, rows(['--tokenizer', path], [{'text': t} for t in texts])):
        expected = tokenizer.encode(t, add_special_tokens=False).ids
        if row['ids'] != expected:
            wrong.append((t, row['ids'], expected))
    report(f'{split}, ids{", NFC" * normal}', len(texts), wrong)


def compare_template(folder, path, name):
    from transformers import PreTrainedTokenizerFast
    vocabulary = json.load(open(os.path.join(folder, 'deepseek-v3.json'), encoding='utf-8'))
    marks = ['<\uff5cbegin\u2581of\u2581sentence\uff5c>', '<\uff5cend\u2581of\u2581sentence\uff5c>',
             '<\uff5cUser\uff5c>', '<\uff5cAssistant\uff5c>', '</think>', '<|im_start|>',
             '<|im_end|>', '<|begin_of_text|>', '<|start_header_id|>', '<|end_header_id|>',
             '<|eot_id|>']
    for i, mark in enumerate(marks):
        vocabulary['added_tokens'].append(dict(vocabulary['added_tokens'][0], id=1200 + len(SPECIALS) + i,
                                               content=mark))
    base = os.path.join(folder, 'chat')
    os.makedirs(base, exist_ok=True)
    json.dump(vocabulary, open(os.path.join(base, 'tokenizer.json'), 'w', encoding='utf-8'))
    template = open(path, encoding='utf-8').read()
    bos = '<|begin_of_text|>' if name.startswith('llama') else marks[0]
    json.dump({'bos_token': bos, 'chat_template': template},
              open(os.path.join(base, 'tokenizer_config.json'), 'w', encoding='utf-8'))
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=os.path.join(base, 'tokenizer.json'),
                                        bos_token=bos, chat_template=template)
    rng, talks = random.Random(name), []
    for _ in range(ROUNDS // 10):
        talk = [{'role': 'system', 'content': random_texts(rng.random(), 1)[0]}]
        talk = talk[:rng.randint(0, 1)]
        for turn in range(rng.randint(1, 4)):
            content = random_texts(rng.random(), 1)[0]
            if turn % 2 and rng.random() < 0.5:
                content += '</think>' + random_texts(rng.random(), 1)[0]
            talk.append({'role': 'assistant' if turn % 2 else 'user', 'content': content})
        talks.append(talk)
    for prompt in (False, True):
        wrong = []
        out = rows(['--tokenizer', base] + ['--prompt'] * prompt, [{'messages': t} for t in talks])
        for talk, row in zip(talks, out):
            text = tokenizer.apply_chat_template(talk, tokenize=False,
                                                 add_generation_prompt=prompt)
            expected = tokenizer.encode(text, add_special_tokens=False)
            if row['ids'] != expected:
                wrong.append((talk, row['ids'], expected))
        report(f'{name}, chat{", prompt" * prompt}', len(talks), wrong)


def write(folder):
    """NFC, pieces and merges as Hugging Face's library makes them, a row of JSON each."""
    for text in texts_of_marks('nfc', 100):
        print(json.dumps({'split': 'qwen2', 'text': text, 'nfc': NFC(text)}))
    digest = 0xcbf29ce484222325
    for byte in ''.join(NFC('a' + c + '\u0323\u0301') for c in CODES).encode():
        digest = (digest ^ byte) * 0x100000001b3 % 2 ** 64
    print(json.dumps({'split': 'qwen2', 'digest': f'{digest:016x}'}))
    for split in SPLITS:
        path = os.path.join(folder, split + '.json')
        tool(['--train', '300', '--split', split, '--tokenizer', path], 'a')
        cutter = Tokenizer.from_file(path).pre_tokenizer
        for text in random_texts('pieces ' + split, 60):
            sizes = [len(piece) for piece, _ in cutter.pre_tokenize_str(text)]
            print(json.dumps({'split': split, 'text': text, 'sizes': sizes}))
    text = corpus()[:12000]
    print(json.dumps({'split': split, 'train': text, 'merges': theirs(path, text, 700)['merges']}))


def main():
    with tempfile.TemporaryDirectory() as folder:
        if WRITE:
            return write(folder)
        text = corpus()
        for split in SPLITS:
            compare_split(folder, split, text)
        for name in sorted(os.listdir(sys.argv[3])) if len(sys.argv) > 3 else []:
            compare_template(folder, os.path.join(sys.argv[3], name), name)
    print('equal' if not bad else f'{bad} differ')
    return bad != 0


if __name__ == '__main__':
    sys.exit(main())
