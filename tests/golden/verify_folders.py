"""The check behind `make_golden.py --folders`: for every model of the golden files, transformers writes a folder
with save_pretrained, r1.h loads it and saves another one, and transformers loads that. Nothing may be
missing or left over, every tensor must have kept its bytes, and the logits of the folder that r1.h wrote must
be those of the golden file. Needs a C compiler (CC, or cc)."""
import ctypes, os, subprocess, tempfile
import numpy as np
import safetensors.numpy, torch
from make_golden import CASES, HERE, evaluate, model_class, set_precision
from verify_golden import case_of, load_model

def library(folder):
    """r1.h as a shared library."""
    path = os.path.join(folder, "r1.so")
    subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-O1", "-shared", "-fPIC", "-DR1_IMPLEMENTATION", "-x",
                    "c", os.path.join(HERE, "..", "..", "r1.h"), "-o", path, "-lm", "-lpthread"], check=True)
    r1 = ctypes.CDLL(path)
    for name, result in (("r1_context_new", ctypes.c_void_p), ("r1_model_load", ctypes.c_void_p),
                         ("r1_model_save", ctypes.c_int), ("r1_message_of", ctypes.c_char_p)):
        getattr(r1, name).restype = result
    return r1

def load_and_save(r1, source, target):
    p, path = ctypes.c_void_p, lambda folder: ctypes.c_char_p(os.fsencode(folder))
    ctx = p(r1.r1_context_new(p()))
    model = p(r1.r1_model_load(ctx, path(source)))
    good = model.value and r1.r1_model_save(model, path(target)) == 0
    message = r1.r1_message_of(ctx).decode()
    r1.r1_context_free(ctx)
    assert good, message

def tensors(folder):
    return safetensors.numpy.load_file(os.path.join(folder, "model.safetensors"))

def verify():
    with tempfile.TemporaryDirectory() as root:
        r1 = library(root)
        for name in CASES:
            t, config, (tokens, starts), w, _ = case_of(name)
            theirs, ours = (os.path.join(root, x, name) for x in ("theirs", "ours"))
            model = load_model(config, w, torch.float32)
            model.save_pretrained(theirs)
            load_and_save(r1, theirs, ours)
            a, b = tensors(theirs), tensors(ours)
            assert a.keys() == b.keys(), a.keys() ^ b.keys()
            assert all(a[k].dtype == b[k].dtype and a[k].shape == b[k].shape and a[k].tobytes() == b[k].tobytes()
                       for k in a), name
            set_precision(torch.float64)
            again, info = model_class(config).from_pretrained(ours, dtype=torch.float64,
                attn_implementation="eager", experts_implementation="eager", output_loading_info=True)
            left = [info[k] for k in ("missing_keys", "unexpected_keys", "mismatched_keys") if info[k]]
            assert type(again).__name__ == config["architectures"][0] and not left, left
            with torch.no_grad():
                logits = evaluate(again, tokens, starts)[0]["logits"].numpy()
            off = np.abs(logits - t["logits"]).max() / np.abs(t["logits"]).max()
            print(f"{name}: {type(again).__name__}, {len(b)} tensors with the same bytes, logits {off:.1e}")
            assert off < 1e-6, name
