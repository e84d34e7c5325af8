"""The formulas behind extras.safetensors, written out plainly in float64: what transformers lacks (sequence
balance loss, bias update) in numpy, and single ops in torch operations, for autograd to differentiate."""
import math
import numpy as np
import torch

def balance_loss(s, starts, chosen, alpha):
    """alpha/B sum_b sum_i f_bi P_bi with f = E/(K T) count, P = mean_t s_ti / sum_j s_tj over the T tokens
    of sequence b; s [T, E], chosen [T, K]. Returns the loss, alpha sum_i f_bi P_bi for each sequence, f, P
    and d loss / d s, in which f is a constant."""
    E, K, B = s.shape[1], chosen.shape[1], len(starts) - 1
    loss, f, p, ds = np.zeros(B), np.zeros((B, E)), np.zeros((B, E)), np.zeros_like(s)
    for b, (lo, hi) in enumerate(zip(starts[:-1], starts[1:])):
        total = s[lo:hi].sum(1, keepdims=True)
        f[b] = np.bincount(chosen[lo:hi].ravel(), minlength=E) * E / (K * (hi - lo))
        p[b] = (s[lo:hi] / total).mean(0)
        loss[b] = alpha * f[b] @ p[b]
        mean_f = (s[lo:hi] @ f[b])[:, None] / total
        ds[lo:hi] = alpha / (B * (hi - lo)) * (f[b] - mean_f) / total
    return loss.mean(), loss, f, p, ds

def bias_update(bias, load, gamma):
    """Down by gamma above the mean load, up below it, unchanged at it."""
    return bias - gamma * np.sign(load - load.mean())

def adamw_steps(p, grads, c):
    """Weights and both moments after each step; decay is decoupled and uses the weight before the step."""
    m, v, rows = np.zeros_like(p), np.zeros_like(p), []
    for t, g in enumerate(grads, 1):
        m, v = c["beta1"] * m + (1 - c["beta1"]) * g, c["beta2"] * v + (1 - c["beta2"]) * g * g
        step = (m / (1 - c["beta1"] ** t)) / (np.sqrt(v / (1 - c["beta2"] ** t)) + c["eps"])
        p = p - c["lr"] * (step + c["weight_decay"] * p)
        rows.append((p, m, v))
    return [np.array(x) for x in zip(*rows)]

def cosine_lr(t, c, first):
    """Warm-up peak (t + first) / W for t < W, then half a cosine from peak at t = W to floor at t >= N."""
    if t < c["warmup"]:
        return c["peak"] * (t + first) / c["warmup"]
    x = min(1.0, (t - c["warmup"]) / (c["steps"] - c["warmup"]))
    return c["floor"] + 0.5 * (c["peak"] - c["floor"]) * (1 + math.cos(math.pi * x))

def rope(x, position, theta, half):
    """x [T, H, D]; pair i = (x[2i], x[2i+1]) or, half-split, (x[i], x[i+D/2]); results stay in place."""
    D = x.shape[-1]
    angle = position.double()[:, None] * theta ** (-torch.arange(0, D, 2).double() / D)
    cos, sin = angle.cos()[:, None], angle.sin()[:, None]
    a, b = (x[..., :D // 2], x[..., D // 2:]) if half else (x[..., 0::2], x[..., 1::2])
    pair = (a * cos - b * sin, a * sin + b * cos)
    return torch.cat(pair, -1) if half else torch.stack(pair, -1).flatten(-2)

def attention(q, k, v, starts):
    """q [T, H, D], k [T, Hkv, D], v [T, Hkv, Dv] -> [T, H, Dv]; causal in each sequence; scale 1/sqrt(D)."""
    k, v = (x.repeat_interleave(q.shape[1] // x.shape[1], 1) for x in (k, v))
    out = []
    for a, b in zip(starts[:-1], starts[1:]):
        score = torch.einsum("thd,shd->hts", q[a:b], k[a:b]) / math.sqrt(q.shape[-1])
        score = score.masked_fill(torch.ones(b - a, b - a).triu(1) > 0, -math.inf)
        out.append(torch.einsum("hts,shd->thd", score.softmax(-1), v[a:b]))
    return torch.cat(out)
