"""The checks behind `make_golden.py --verify`: a second, plain forward pass of the decoders in numpy against
the files and against transformers, which reads the weights as a checkpoint; what float32 makes of the same
numbers; and how far the losses move when one optimizer setting is wrong: more than 1e-4."""
import json, math, os, tempfile
import numpy as np
import safetensors, safetensors.numpy, torch
from transformers.modeling_layers import MtpLayer
import mtp
from formulas import balance_loss
from make_golden import (ADAMW, CASES, HERE, LONG, MTP_CASES, buffers, evaluate, evaluate_mtp, model_class,
                         set_precision, train)

def read(name):
    path = os.path.join(HERE, name)
    with safetensors.safe_open(path, "np") as file:
        return {k: file.get_tensor(k) for k in file.keys()}, file.metadata()

def plain_rope(c, D):
    """Frequencies of the D / 2 pairs, factor on cos and sin, factor on the scores of MLA."""
    theta, scaling = c["rope_theta"] ** (-np.arange(0, D, 2) / D), c["rope_scaling"]
    if not scaling:
        return theta, 1.0, 1.0
    s, log = scaling["factor"], math.log
    if scaling.get("rope_type") == "llama3":
        turns = scaling["original_max_position_embeddings"] * theta / (2 * math.pi)
        high, low = scaling["high_freq_factor"], scaling["low_freq_factor"]
        keep = np.clip((turns - low) / (high - low), 0, 1)
        return theta * keep + theta / s * (1 - keep), 1.0, 1.0
    both = "mscale" in scaling and "mscale_all_dim" in scaling
    m = lambda key: 0.1 * (scaling[key] if both else key == "mscale") * log(s) + 1
    pair = lambda turns: D * log(scaling["original_max_position_embeddings"] / (2 * math.pi * turns)) / (
        2 * log(c["rope_theta"]))
    low = max(0, math.floor(pair(scaling.get("beta_fast", 32))))
    high = math.ceil(pair(scaling.get("beta_slow", 1)))
    ramp = np.clip((np.arange(D // 2) - low) / (high - low), 0, 1)
    return theta * (1 - ramp) + theta / s * ramp, m("mscale") / m("mscale_all_dim"), m("mscale_all_dim") ** 2

def plain_decoder(c, w):
    """(norm(x, name of the gain), block(x, layer)) of the decoders in numpy from the formulas alone; MLA
    rotates adjacent pairs and norms its latents with 1e-6, GQA rotates half-split pairs."""
    def norm(x, g):
        eps = 1e-6 if g.endswith("_a_layernorm.weight") else c["rms_norm_eps"]
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) * w[g]
    mlp = lambda x, n: (lambda a: a / (1 + np.exp(-a)) * (x @ w[n + "up_proj.weight"].T))(
        x @ w[n + "gate_proj.weight"].T) @ w[n + "down_proj.weight"].T

    def turn(x, adjacent):     # x [T, H, D] as complex numbers
        T, _, D = x.shape
        z = x[..., 0::2] + 1j * x[..., 1::2] if adjacent else x[..., :D // 2] + 1j * x[..., D // 2:]
        frequency, amplitude, _ = plain_rope(c, D)
        return z * amplitude * np.exp(1j * np.arange(T)[:, None] * frequency)[:, None]

    def moe(x, n):
        v3, logits = c["model_type"] == "deepseek_v3", x @ w[n + "gate.weight"].T
        s = 1 / (1 + np.exp(-logits)) if v3 else np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        y = mlp(x, n + "shared_experts.") if n + "shared_experts.up_proj.weight" in w else 0 * x
        groups = c.get("n_group", 1)
        for t in range(len(x)):
            b = (s[t] + w.get(n + "gate.e_score_correction_bias", 0)).reshape(groups, -1)
            worst = np.argsort(np.sort(b, 1)[:, -2 if v3 else -1:].sum(1))[:groups - c.get("topk_group", 1)]
            b[worst] = -np.inf
            chosen = np.argsort(-b.ravel())[:c["num_experts_per_tok"]]
            for e in chosen:
                gate = s[t, e] / (s[t, chosen].sum() if c["norm_topk_prob"] else 1)
                y[t] += gate * c.get("routed_scaling_factor", 1) * mlp(x[t], f"{n}experts.{e}.")
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
            if n + "q_norm.weight" in w:
                q, k = norm(q, n + "q_norm.weight"), norm(k, n + "k_norm.weight")
            q, k, v = real(turn(q, False)), real(turn(k, False)).repeat(H // kv, 1), v.repeat(H // kv, 1)
        sharpen = plain_rope(c, c["qk_rope_head_dim"])[2] if "kv_lora_rank" in c else 1.0
        score = q.swapaxes(0, 1) @ k.transpose(1, 2, 0) * (sharpen / math.sqrt(q.shape[-1]))
        score += np.triu(np.full((T, T), -np.inf), 1)
        p = np.exp(score - score.max(-1, keepdims=True))
        return lin((p @ v.swapaxes(0, 1) / p.sum(-1, keepdims=True)).swapaxes(0, 1).reshape(T, -1), "o_proj")

    def block(x, layer):
        n = f"model.layers.{layer}."
        x = x + attend(norm(x, n + "input_layernorm.weight"), n + "self_attn.")
        feed = moe if n + "mlp.gate.weight" in w else mlp
        return x + feed(norm(x, n + "post_attention_layernorm.weight"), n + "mlp.")
    return norm, block

def plain_hidden(c, w, tokens):
    norm, block = plain_decoder(c, w)
    x = w["model.embed_tokens.weight"][tokens]
    for layer in range(c["num_hidden_layers"]):
        x = block(x, layer)
    return norm(x, "model.norm.weight")

def plain_head(w, x):
    return x @ w.get("lm_head.weight", w["model.embed_tokens.weight"]).T

def plain_logits(c, w, tokens, starts):
    return np.concatenate([plain_head(w, plain_hidden(c, w, tokens[a:b]))
                           for a, b in zip(starts[:-1], starts[1:])])

def plain_mtp(c, w, tokens, starts, loss_from):
    """([log-probs of each depth], [L_main, L_1 .. L_D]), token by token where it can be: the pair (row i,
    depth k) predicts token i + k + 1, if there is one."""
    norm, block = plain_decoder(c, w)
    L, D = c["num_hidden_layers"], c["num_nextn_predict_layers"]
    logp, parts, N = [[] for _ in range(D + 1)], np.zeros(D + 1), 0
    for b, f in enumerate(loss_from):
        t = tokens[starts[b]:starts[b + 1]]
        h = plain_hidden(c, w, t[:-1])
        N += sum(1 for i in range(1, len(t)) if i >= f)
        for k in range(D + 1):
            n = f"model.layers.{L + k - 1}."
            if k:
                h = h[:-1]
                e = w["model.embed_tokens.weight"][t[k:k + len(h)]]
                x = np.concatenate([norm(e, n + "enorm.weight"), norm(h, n + "hnorm.weight")], 1)
                h = block(x @ w[n + "eh_proj.weight"].T, L + k - 1) if len(h) else h
            z = plain_head(w, norm(h, n + "shared_head.norm.weight") if k else h)
            for i in range(len(h)):
                logp[k].append(z[i, t[i + k + 1]] - math.log(np.exp(z[i]).sum()))
                parts[k] -= logp[k][-1] * (i + k + 1 >= f)
    return [np.array(x) for x in logp], parts / N

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

def load_mtp(config, weights, dtype):
    """The main model in this way; its later layers by name, experts stacked."""
    later = lambda k: k.startswith("model.layers.") and int(k.split(".")[2]) >= config["num_hidden_layers"]
    model = load_model(config, {k: v for k, v in weights.items() if not later(k)}, dtype)
    mtp.attach(model)
    for name, p in (dict(model.named_parameters()) | buffers(model)).items():
        stack = lambda part: np.stack([weights[f"{name.rsplit('.', 1)[0]}.{e}.{part}.weight"]
                                       for e in range(config["n_routed_experts"])])
        if name.endswith("experts.gate_up_proj") and later(name):
            p.data.copy_(torch.from_numpy(np.concatenate([stack("gate_proj"), stack("up_proj")], 1)))
        elif later(name):
            p.data.copy_(torch.from_numpy(stack("down_proj") if name.endswith("experts.down_proj")
                                          else weights[name]))
    return model

def library_mtp(model, tokens, chain_normed):
    """[log-probs of depth 1 .. D] of one sequence by the module of transformers. It hands its normed output
    on to the next depth (chain_normed); asked without its last norm, it returns what V3 hands on."""
    base, L, n = model.model, model.config.num_hidden_layers, len(tokens)
    tokens, out = torch.tensor(tokens), []
    hidden = base(input_ids=tokens[None, :-1]).last_hidden_state
    for k, own in enumerate(base.layers[L:], 1):
        layer = MtpLayer(model.config, type(base.layers[0]), type(base.norm), L + k - 1)
        names = {"shared_head.norm.weight": "post_norm.weight"}
        own_part = ("enorm", "hnorm", "eh_proj", "shared_head")
        layer.load_state_dict({names.get(x, x if x.startswith(own_part) else f"mtp_block.{x}"): v
                               for x, v in own.state_dict().items()})
        rows = n - 1 - k
        place = torch.arange(k, k + rows)[None]      # another start than ours: only distances count
        mask = torch.full((1, 1, rows, rows), -math.inf).triu(1)
        call = lambda: layer(base.embed_tokens(tokens[None, k:k + rows]), hidden[:, :rows],
                             base.rotary_emb(hidden, place), mask, place, None)
        normed = call()
        layer.use_post_norm = False
        hidden = normed if chain_normed else call()
        out.append(model.lm_head(normed)[0].log_softmax(-1)[torch.arange(rows), tokens[k + 1:]].numpy())
    return out

ratio = lambda a, b: np.abs(a - b).max() / max(np.abs(b).max(), 1e-30)

def case_of(name):
    """Tensors, config, (tokens, starts), weights and gradients of a file."""
    t, meta = read(f"{name}.safetensors")
    w, g = ({k[2:]: v for k, v in t.items() if k.startswith(x)} for x in ("w/", "g/"))
    return t, json.loads(meta["config"]), (t["tokens"].astype(int), t["starts"].astype(int)), w, g

def double(w):
    return {k: v.astype(float) for k, v in w.items()}

def verify_steps(name, load, results, evaluate, adamw):
    """The same training in float32, and in float64 with one setting changed at a time."""
    t, config, batch, w, g = case_of(name)
    first, losses, _ = train(load(config, w, torch.float32), *batch, adamw, evaluate)
    print(f"  float32 run: {results[0]} {max(ratio(first[k], t[k]) for k in results):.1e}, "
          f"gradients {max(ratio(first['grads'][k], g[k]) for k in g):.1e}, "
          f"losses {np.abs(np.array(losses) - t['losses']).max():.1e}")
    for change in ({"weight_decay": 0.0}, {"max_norm": 1e9}, {"beta2": 0.999}, {"eps": 1e-5}):
        other = train(load(config, w, torch.float64), *batch, adamw | change, evaluate)
        print(f"  losses with {change}: differ by {np.abs(np.array(other[1]) - t['losses']).max():.1e}")

def verify_mtp(name):
    t, config, (tokens, starts), w, _ = case_of(name)
    logp, parts = plain_mtp(config, double(w), tokens, starts, t["loss_from"])
    model = load_mtp(config, w, torch.float64)
    with torch.no_grad():
        exact, exact_parts, _ = evaluate_mtp(model, tokens, starts)
        text = tokens[starts[1]:starts[2]]      # long enough for every depth
        library, normed = (library_mtp(model, text, chain_normed) for chain_normed in (False, True))
        own = [x.numpy() for x in mtp.sequence_logprobs(model, torch.tensor(text))[1:]]
    off = max(np.abs(a - b.numpy()).max() for a, b in zip(logp, exact.values()))
    stored = max(np.abs(a - t[f"logp/{k}"]).max() for k, a in enumerate(logp))
    module = max(np.abs(a - b).max() for a, b in zip(library, own))
    print(f"{name}: numpy against torch in float64 {off:.1e}, "
          f"losses {np.abs(parts - exact_parts.numpy()).max():.1e}, against the file {stored:.1e}\n"
          f"  transformers' module {module:.1e}; when it hands on its normed output, "
          f"depth 2 differs by {np.abs(normed[1] - own[1]).max():.1e}")
    assert max(off, module) < 1e-9 and stored < 1e-6 and np.abs(parts - t["losses"][0]).max() < 1e-6
    verify_steps(name, load_mtp, ["logp/0", "logp/1", "logp/2"], evaluate_mtp, ADAMW | {"steps": 5})

def verify():
    for name in CASES:
        t, config, batch, w, _ = case_of(name)
        plain = plain_logits(config, double(w), *batch)
        with torch.no_grad():
            exact = evaluate(load_model(config, w, torch.float64), *batch)[0]["logits"].numpy()
        print(f"{name}: numpy against transformers in float64 {np.abs(plain - exact).max():.1e}, "
              f"against the file {np.abs(plain - t['logits']).max():.1e}")
        assert np.abs(plain - exact).max() < 1e-9 and np.abs(plain - t["logits"]).max() < 1e-6
        verify_steps(name, load_model, ["logits"], evaluate, ADAMW)
    for name in MTP_CASES:
        verify_mtp(name)
    for name in LONG:
        t, config, batch, w, _ = case_of(name)
        off = np.abs(plain_logits(config, double(w), *batch)[t["rows"]] - t["logits"]).max()
        print(f"{name}: numpy against the file {off:.1e}")
        assert off < 1e-6
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
