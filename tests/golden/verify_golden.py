"""The checks behind `make_golden.py --verify`: a second, plain forward pass of both decoders in numpy against
the files and against transformers, which reads the weights as a checkpoint; what float32 makes of the same
numbers; and how far the losses move when one optimizer setting is wrong: far more than 1e-4."""
import json, math, os, tempfile
import numpy as np
import safetensors, safetensors.numpy, torch
from formulas import balance_loss
from make_golden import ADAMW, CASES, HERE, evaluate, model_class, set_precision, train

def read(name):
    path = os.path.join(HERE, name)
    with safetensors.safe_open(path, "np") as file:
        return {k: file.get_tensor(k) for k in file.keys()}, file.metadata()

def plain_logits(c, w, tokens, starts):
    """Both decoders in numpy from the formulas alone; MLA rotates adjacent pairs, Qwen2 half-split ones."""
    norm = lambda x, g: x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-6) * w[g]
    mlp = lambda x, n: (lambda a: a / (1 + np.exp(-a)) * (x @ w[n + "up_proj.weight"].T))(
        x @ w[n + "gate_proj.weight"].T) @ w[n + "down_proj.weight"].T

    def turn(x, adjacent):     # x [T, H, D] as complex numbers
        T, _, D = x.shape
        z = x[..., 0::2] + 1j * x[..., 1::2] if adjacent else x[..., :D // 2] + 1j * x[..., D // 2:]
        return z * np.exp(1j * np.arange(T)[:, None] * c["rope_theta"] ** (-np.arange(0, D, 2) / D))[:, None]

    def moe(x, n):
        s = 1 / (1 + np.exp(-(x @ w[n + "gate.weight"].T)))
        y = mlp(x, n + "shared_experts.")
        for t in range(len(x)):
            b = (s[t] + w[n + "gate.e_score_correction_bias"]).reshape(c["n_group"], -1)
            worst = np.argsort(np.sort(b, 1)[:, -2:].sum(1))[:c["n_group"] - c["topk_group"]]
            b[worst] = -np.inf
            chosen = np.argsort(-b.ravel())[:c["num_experts_per_tok"]]
            for e in chosen:
                gate = s[t, e] / s[t, chosen].sum() * c["routed_scaling_factor"]
                y[t] += gate * mlp(x[t], f"{n}experts.{e}.")
        return y

    def attend(x, n):
        H, T, real = c["num_attention_heads"], len(x), lambda z: np.concatenate([z.real, z.imag], -1)
        lin = lambda x, m: x @ w[f"{n}{m}.weight"].T + w.get(f"{n}{m}.bias", 0)
        if "kv_lora_rank" in c:
            R, P = c["kv_lora_rank"], c["qk_nope_head_dim"]
            if c["q_lora_rank"]:
                q = lin(norm(lin(x, "q_a_proj"), n + "q_a_layernorm.weight"), "q_b_proj").reshape(T, H, -1)
            else:
                q = lin(x, "q_proj").reshape(T, H, -1)
            kv = lin(x, "kv_a_proj_with_mqa")
            k_rope = real(turn(kv[:, None, R:], True)).repeat(H, 1)
            kv = lin(norm(kv[:, :R], n + "kv_a_layernorm.weight"), "kv_b_proj").reshape(T, H, -1)
            q = np.concatenate([q[..., :P], real(turn(q[..., P:], True))], -1)
            k, v = np.concatenate([kv[..., :P], k_rope], -1), kv[..., P:]
        else:
            kv = c["num_key_value_heads"]
            q, k, v = (lin(x, m).reshape(T, h, -1) for m, h in
                       (("q_proj", H), ("k_proj", kv), ("v_proj", kv)))
            q, k, v = real(turn(q, False)), real(turn(k, False)).repeat(H // kv, 1), v.repeat(H // kv, 1)
        score = np.einsum("thd,shd->hts", q, k) / math.sqrt(q.shape[-1])
        score += np.triu(np.full((T, T), -np.inf), 1)
        p = np.exp(score - score.max(-1, keepdims=True))
        return lin(np.einsum("hts,shd->thd", p / p.sum(-1, keepdims=True), v).reshape(T, -1), "o_proj")

    rows = []
    for a, b in zip(starts[:-1], starts[1:]):
        x = w["model.embed_tokens.weight"][tokens[a:b]]
        for l in range(c["num_hidden_layers"]):
            n = f"model.layers.{l}."
            x = x + attend(norm(x, n + "input_layernorm.weight"), n + "self_attn.")
            feed = moe if n + "mlp.gate.weight" in w else mlp
            x = x + feed(norm(x, n + "post_attention_layernorm.weight"), n + "mlp.")
        rows.append(norm(x, "model.norm.weight") @ w.get("lm_head.weight", w["model.embed_tokens.weight"]).T)
    return np.concatenate(rows)

def load_model(config, weights, dtype):
    """The model as transformers itself reads it from a checkpoint folder with these names."""
    set_precision(dtype)
    with tempfile.TemporaryDirectory() as folder:
        safetensors.numpy.save_file(weights, os.path.join(folder, "model.safetensors"), {"format": "pt"})
        with open(os.path.join(folder, "config.json"), "w") as file:
            json.dump(config, file)
        model, info = model_class(config).from_pretrained(folder, dtype=dtype, attn_implementation="eager",
            experts_implementation="eager", output_loading_info=True)
    assert not any(info[k] for k in ("missing_keys", "unexpected_keys", "mismatched_keys")), info
    return model

def verify():
    ratio = lambda a, b: np.abs(a - b).max() / max(np.abs(b).max(), 1e-30)
    for name in CASES:
        t, meta = read(f"{name}.safetensors")
        config, batch = json.loads(meta["config"]), (t["tokens"].astype(int), t["starts"].astype(int))
        w = {k[2:]: v for k, v in t.items() if k.startswith("w/")}
        g = {k[2:]: v for k, v in t.items() if k.startswith("g/")}
        plain = plain_logits(config, {k: v.astype(float) for k, v in w.items()}, *batch)
        with torch.no_grad():
            exact = evaluate(load_model(config, w, torch.float64), *batch)[0].numpy()
        single = train(load_model(config, w, torch.float32), *batch)
        print(f"{name}: numpy against transformers in float64 {np.abs(plain - exact).max():.1e}, "
              f"against the file {np.abs(plain - t['logits']).max():.1e}\n"
              f"  float32 run: logits {ratio(single[0]['logits'], t['logits']):.1e}, "
              f"gradients {max(ratio(single[0]['grads'][k], g[k]) for k in g):.1e}, "
              f"losses {np.abs(np.array(single[1]) - t['losses']).max():.1e}")
        assert np.abs(plain - exact).max() < 1e-9 and np.abs(plain - t["logits"]).max() < 1e-6
        for change in ({"weight_decay": 0.0}, {"max_norm": 1e9}, {"beta2": 0.999}, {"eps": 1e-5}):
            other = train(load_model(config, w, torch.float64), *batch, ADAMW | change)
            print(f"  losses with {change}: differ by {np.abs(np.array(other[1]) - t['losses']).max():.1e}")
    t, meta = read("extras.safetensors")
    params = json.loads(meta["params"])
    s, starts, chosen = t["balance/s"].astype(float), t["balance/starts"], t["balance/chosen"]
    step, worst = 1e-5, 0.0
    for i in np.ndindex(*s.shape):     # central differences
        d = np.zeros_like(s)
        d[i] = step
        up, down = (balance_loss(s + x, starts, chosen, params["balance"]["alpha"])[0] for x in (d, -d))
        worst = max(worst, abs((up - down) / (2 * step) - t["balance/ds"][i]))
    p = torch.nn.Parameter(torch.from_numpy(t["adamw/p0"].astype(float)))
    c = params["adamw"]
    optimizer = torch.optim.AdamW([p], c["lr"], (c["beta1"], c["beta2"]), c["eps"], c["weight_decay"])
    for grad in t["adamw/grads"]:
        p.grad = torch.from_numpy(grad.astype(float))
        optimizer.step()
    adamw = np.abs(p.detach().numpy() - t["adamw/p"][2]).max()
    print(f"extras: balance gradient against central differences {worst:.1e}, "
          f"AdamW against torch.optim {adamw:.1e}")
    assert worst < 1e-8 and adamw < 1e-6
