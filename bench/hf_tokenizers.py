#!/usr/bin/env python3
"""Times Hugging Face's tokenizers on one thread, for the tokenizer section of bench.c.

usage: bench/hf_tokenizers.py TOKENIZER.json TEXT...

Prints for each text: seconds of the processor for the whole text in one call and for its lines one
by one, each the best of three. Status 1 when the library is not installed.
"""
import os, sys, time

os.environ['TOKENIZERS_PARALLELISM'] = 'false'


def best(work):
    times = []
    for _ in range(3):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return min(times)


def main(arguments):
    try:
        from tokenizers import Tokenizer
    except ImportError:
        return 1
    tokenizer = Tokenizer.from_file(arguments[0])
    for path in arguments[1:]:
        with open(path, encoding='utf-8', newline='') as file:
            text = file.read()
        lines = text.split('\n')
        whole = best(lambda: tokenizer.encode(text, add_special_tokens=False))
        each = best(lambda: [tokenizer.encode(line, add_special_tokens=False) for line in lines])
        print(f'{whole:.6f} {each:.6f}')
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
