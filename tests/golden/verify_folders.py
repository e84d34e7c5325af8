"""The check behind `make_golden.py --folders`: for every model of the golden files, transformers writes a folder
with save_pretrained, r1.h loads it and saves another one, and transformers loads that. Nothing may be
missing or left over, every tensor must have kept its bytes, and the logits of the folder that r1.h wrote must
be those of the golden file. FP8 weights with block scales, made by torch, must be read as torch widens them, bit
for bit. Needs a C compiler (CC, or cc)."""
import ctypes, os, subprocess, tempfile
import numpy as np
import safetensors.numpy, safetensors.torch, torch
from make_golden import CASES, HERE, evaluate, model_class, set_precision
from verify_golden import case_of, load_model

def library(folder):
    """r1.h as a shared library."""
    path = os.path.join(folder, "r1.so")
    subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-O1", "-shared", "-fPIC", "-DR1_IMPLEMENTATION", "-x",
                    "c", os.path.join(HERE, "..", "..", "r1.h"), "-o", path, "-lm", "-lpthread"], check=True)
    r1 = ctypes.CDLL(path)
    for name, result in (("r1_context_new", ctypes.c_void_p), ("r1_model_load", ctypes.c_void_p),
                         ("r1_model_save", ctypes.c_int), ("r1_message_of", ctypes.c_char_p),
                         ("r1_tensors_open", ctypes.c_void_p), ("r1_tensors_find", ctypes.c_void_p)):
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

def verify_fp8(r1, path):
    """All 256 codes, in matrices whose last blocks are ragged."""
    p, draw, shapes = ctypes.c_void_p, torch.Generator().manual_seed(0), [(576, 200), (300, 129), (7, 513), (1, 1)]
    for R, C in shapes:
        weight = torch.randint(0, 256, (R, C), generator=draw).to(torch.uint8).view(torch.float8_e4m3fn)
        scale = torch.rand((R + 127) // 128, (C + 127) // 128, generator=draw, dtype=torch.float32) * 1e-3
        safetensors.torch.save_file({"a.weight": weight, "a.weight_scale_inv": scale}, path)
        want = weight.to(torch.float32) * scale.repeat_interleave(128, 0)[:R].repeat_interleave(128, 1)[:, :C]
        ctx, out = p(r1.r1_context_new(p())), torch.empty(R, C, dtype=torch.float32)
        file = p(r1.r1_tensors_open(ctx, ctypes.c_char_p(os.fsencode(path))))
        entry = p(r1.r1_tensors_find(file, ctypes.c_char_p(b"a.weight")))
        size = ctypes.c_size_t(R * C)
        assert r1.r1_tensors_numbers(file, entry, ctypes.c_size_t(0), size, p(out.data_ptr())) == 0
        r1.r1_context_free(ctx)
        bits = [x.nan_to_num(nan=1e30).view(torch.int32) for x in (out, want)]
        assert torch.equal(*bits), (R, C)
    print(f"FP8: {sum(R * C for R, C in shapes)} numbers with the same bits")

def verify():
    with tempfile.TemporaryDirectory() as root:
        r1 = library(root)
        verify_fp8(r1, os.path.join(root, "fp8.safetensors"))
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
