#!/usr/bin/env python3
"""Makes the golden files of this folder, or those named; `--verify` reads them back and checks them,
`--folders` has r1.h load and save folders of transformers, and transformers load them again; FP8 too.

Everything is computed in float64. Weights and inputs are rounded to float32 first, so that a float32
library starts from exactly the same numbers; results are rounded to float32 when they are stored.
Needs: pip install torch numpy safetensors transformers (written with 5.23.0; the router must mask unkept
groups with -inf, older versions used 0: RouterWatch refuses them).
"""
import copy, json, math, os, sys
import numpy as np
import safetensors, torch, transformers
import torch.nn.functional as F
from transformers import modeling_rope_utils
from transformers.models.deepseek_v2 import modeling_deepseek_v2
from transformers.models.deepseek_v3 import modeling_deepseek_v3
from transformers.models.llama import modeling_llama
from transformers.models.qwen2 import modeling_qwen2
from transformers.models.qwen3 import modeling_qwen3
from transformers.models.qwen3_moe import modeling_qwen3_moe
import mtp
from formulas import adamw_steps, attention, balance_loss, bias_update, cosine_lr, rope

HERE = os.path.dirname(os.path.abspath(__file__))
VERSIONS = {"torch": torch.__version__, "transformers": transformers.__version__,
            "numpy": np.__version__, "python": sys.version.split()[0]}
ADAMW = {"lr": 3e-3, "beta1": 0.9, "beta2": 0.95, "eps": 1e-8, "weight_decay": 0.1,
         "decay": "matrices (2-D on disk, embeddings and router included), not vectors",
         "max_norm": 1.0, "clip": "g *= min(1, max_norm / (norm + 1e-6))", "steps": 10}
MARGIN = 1e-4     # smallest distance of a router decision from its boundary, in all evaluations

# The configs are what a config.json of a released checkpoint holds; transformers reads them as they are.
BOTH = {"hidden_act": "silu", "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "rope_scaling": None,
        "max_position_embeddings": 64, "bos_token_id": 0, "eos_token_id": 1, "tie_word_embeddings": False}
DSV3 = BOTH | {"architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3",
    "num_hidden_layers": 3, "first_k_dense_replace": 1, "moe_layer_freq": 1, "topk_method": "noaux_tc",
    "scoring_func": "sigmoid", "norm_topk_prob": True, "routed_scaling_factor": 2.5,
    "rope_interleave": True, "attention_bias": False, "num_nextn_predict_layers": 0}
QWEN2 = BOTH | {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "num_hidden_layers": 2,
    "num_attention_heads": 6, "num_key_value_heads": 2, "use_sliding_window": False}
DSV2 = BOTH | {"architectures": ["DeepseekV2ForCausalLM"], "model_type": "deepseek_v2",
    "num_hidden_layers": 2, "first_k_dense_replace": 1, "moe_layer_freq": 1, "scoring_func": "softmax",
    "norm_topk_prob": False, "attention_bias": False}
LLAMA = BOTH | {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-5, "mlp_bias": False}
QWEN3 = BOTH | {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "use_sliding_window": False}
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
CASES = {  # name: (config, lengths of the sequences)
    "dsv3_expanded": (DSV3 | {"vocab_size": 37, "hidden_size": 20, "num_attention_heads": 3,
        "num_key_value_heads": 3, "q_lora_rank": 7, "kv_lora_rank": 9, "qk_nope_head_dim": 6,
        "qk_rope_head_dim": 4, "v_head_dim": 5, "intermediate_size": 18, "moe_intermediate_size": 11,
        "n_routed_experts": 8, "n_group": 4, "topk_group": 2, "num_experts_per_tok": 3,
        "n_shared_experts": 1}, [9, 1, 14]),
    "dsv3_noq": (DSV3 | {"vocab_size": 41, "hidden_size": 23, "num_attention_heads": 2,
        "num_key_value_heads": 2, "q_lora_rank": None, "kv_lora_rank": 5, "qk_nope_head_dim": 3,
        "qk_rope_head_dim": 6, "v_head_dim": 7, "intermediate_size": 25, "moe_intermediate_size": 9,
        "n_routed_experts": 7, "n_group": 1, "topk_group": 1, "num_experts_per_tok": 2,
        "n_shared_experts": 2, "tie_word_embeddings": True}, [11, 6]),
    "qwen2": (QWEN2 | {"vocab_size": 43, "hidden_size": 24, "intermediate_size": 31,
        "rope_theta": 1000000.0, "tie_word_embeddings": True}, [9, 1, 14]),
    "qwen2_untied": (QWEN2 | {"vocab_size": 29, "hidden_size": 36, "intermediate_size": 35}, [2, 13, 5]),
    "dsv3_yarn": (DSV3 | {"num_hidden_layers": 2, "vocab_size": 19, "hidden_size": 14,
        "num_attention_heads": 2, "num_key_value_heads": 2, "q_lora_rank": 6, "kv_lora_rank": 7,
        "qk_nope_head_dim": 3, "qk_rope_head_dim": 16, "v_head_dim": 5, "intermediate_size": 11,
        "moe_intermediate_size": 5, "n_routed_experts": 4, "n_group": 1, "topk_group": 1,
        "num_experts_per_tok": 2, "n_shared_experts": 1, "max_position_embeddings": 256,
        "rope_scaling": {"type": "yarn", "factor": 4, "original_max_position_embeddings": 64,
            "beta_fast": 32, "beta_slow": 1, "mscale": 0.707, "mscale_all_dim": 1.0}}, [150, 1, 40]),
    "qwen2_yarn": (QWEN2 | {"num_hidden_layers": 1, "vocab_size": 17, "hidden_size": 28,
        "num_attention_heads": 2, "num_key_value_heads": 1, "intermediate_size": 9,
        "tie_word_embeddings": True, "max_position_embeddings": 128, "rope_scaling": {"type": "yarn",
            "factor": 4.0, "original_max_position_embeddings": 32}}, [100, 7]),
    # V2 in full: compressed queries, groups by their best expert. Its latents keep an eps of 1e-6. The class
    # of transformers needs an even nope and rank.
    "dsv2": (DSV2 | {"vocab_size": 23, "hidden_size": 18, "num_attention_heads": 2,
        "num_key_value_heads": 2, "q_lora_rank": 7, "kv_lora_rank": 6, "qk_nope_head_dim": 6,
        "qk_rope_head_dim": 4, "v_head_dim": 3, "intermediate_size": 13, "moe_intermediate_size": 6,
        "n_routed_experts": 8, "n_group": 4, "topk_group": 2, "num_experts_per_tok": 3,
        "n_shared_experts": 2, "topk_method": "group_limited_greedy", "routed_scaling_factor": 16.0,
        "rms_norm_eps": 1e-3}, [15, 1, 18]),
    "dsv2_lite": (DSV2 | {"vocab_size": 19, "hidden_size": 14, "num_attention_heads": 2,
        "num_key_value_heads": 2, "q_lora_rank": None, "kv_lora_rank": 8, "qk_nope_head_dim": 4,
        "qk_rope_head_dim": 16, "v_head_dim": 5, "intermediate_size": 11, "moe_intermediate_size": 5,
        "n_routed_experts": 5, "n_group": 1, "topk_group": 1, "num_experts_per_tok": 2,
        "n_shared_experts": 1, "topk_method": "greedy", "routed_scaling_factor": 1.0,
        "max_position_embeddings": 256, "rope_scaling": {"type": "yarn", "factor": 4,
            "original_max_position_embeddings": 64, "beta_fast": 32, "beta_slow": 1, "mscale": 0.707,
            "mscale_all_dim": 0.707}}, [90, 1, 20]),
    "llama": (LLAMA | {"vocab_size": 27, "hidden_size": 20, "num_key_value_heads": 4, "head_dim": 8,
        "intermediate_size": 13, "attention_bias": True}, [9, 1, 14]),
    "llama3": (LLAMA | {"vocab_size": 21, "hidden_size": 16, "head_dim": 12, "intermediate_size": 11,
        "num_hidden_layers": 1, "tie_word_embeddings": True, "rope_theta": 500000.0,
        "max_position_embeddings": 128,
        "rope_scaling": LLAMA3 | {"original_max_position_embeddings": 32}}, [100, 7]),
    "qwen3": (QWEN3 | {"vocab_size": 25, "hidden_size": 18, "head_dim": 10, "intermediate_size": 17,
        "attention_bias": False, "rope_theta": 1000000.0, "tie_word_embeddings": True}, [9, 1, 14]),
    "qwen3_moe": (QWEN3 | {"architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe",
        "vocab_size": 22, "hidden_size": 13, "head_dim": 6, "num_key_value_heads": 1,
        "intermediate_size": 9, "moe_intermediate_size": 5, "num_hidden_layers": 4, "num_experts": 5,
        "num_experts_per_tok": 2, "norm_topk_prob": True, "decoder_sparse_step": 2,
        "mlp_only_layers": [0]}, [11, 1, 16]),
}
MTP = DSV3 | {"num_hidden_layers": 2, "num_nextn_predict_layers": 2, "vocab_size": 31, "hidden_size": 13,
    "num_attention_heads": 2, "num_key_value_heads": 2, "q_lora_rank": 6, "kv_lora_rank": 7,
    "qk_nope_head_dim": 5, "qk_rope_head_dim": 4, "v_head_dim": 6, "intermediate_size": 15,
    "moe_intermediate_size": 5, "n_routed_experts": 6, "n_group": 3, "topk_group": 2,
    "num_experts_per_tok": 3, "n_shared_experts": 1}
# Depth 2 has no row of the sequence of 3 tokens, and both depths have none of the one of 2.
MTP_CASES = {"dsv3_mtp": MTP, "dsv3_mtp_tied": MTP | {"tie_word_embeddings": True}}
MTP_BATCH = {"lengths": [3, 15, 2, 9], "loss_from": [2, 5, 0, 1], "weight": 0.3}
# The rotary settings of DeepSeek-V3 in one thin layer, far behind the original length.
YARN_LONG = DSV3 | {"num_hidden_layers": 1, "vocab_size": 23, "hidden_size": 16, "num_attention_heads": 1,
    "num_key_value_heads": 1, "q_lora_rank": None, "kv_lora_rank": 12, "qk_nope_head_dim": 2,
    "qk_rope_head_dim": 64, "v_head_dim": 9, "intermediate_size": 7, "moe_intermediate_size": 1,
    "n_routed_experts": 1, "n_group": 1, "topk_group": 1, "num_experts_per_tok": 1, "n_shared_experts": 1,
    "max_position_embeddings": 8192, "rope_scaling": {"type": "yarn", "factor": 40, "beta_fast": 32,
        "beta_slow": 1, "mscale": 1.0, "mscale_all_dim": 1.0, "original_max_position_embeddings": 4096}}
LONG = {"dsv3_yarn_long": YARN_LONG,
    "qwen2_yarn_long": QWEN2 | {"num_hidden_layers": 1, "vocab_size": 23, "hidden_size": 12,
        "num_attention_heads": 1, "num_key_value_heads": 1, "head_dim": 64, "intermediate_size": 7,
        "max_position_embeddings": 16384, "rope_scaling": {"type": "yarn", "factor": 4.0,
            "original_max_position_embeddings": 4096}},
    "llama3_long": LLAMA | {"num_hidden_layers": 1, "vocab_size": 23, "hidden_size": 12,
        "num_attention_heads": 1, "num_key_value_heads": 1, "head_dim": 64, "intermediate_size": 7,
        "rope_theta": 500000.0, "max_position_embeddings": 32768,
        "rope_scaling": LLAMA3 | {"original_max_position_embeddings": 4096}}}
# Sizes of released models, as their config.json gives them; transformers counts the parameters.
GQA_KEYS = ["vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
            "num_key_value_heads", "head_dim", "max_position_embeddings", "rope_theta"]
MLA_KEYS = ["vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
            "num_key_value_heads", "q_lora_rank", "n_routed_experts", "n_shared_experts",
            "num_experts_per_tok", "moe_intermediate_size", "n_group", "topk_group", "routed_scaling_factor",
            "first_k_dense_replace"]
MLA_SAME = {"kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
            "max_position_embeddings": 163840}
PUBLISHED = [
    DSV3 | MLA_SAME | dict(zip(MLA_KEYS, [129280, 7168, 18432, 61, 128, 128, 1536, 256, 1, 8, 2048, 8, 4, 2.5, 3]))
        | {"num_nextn_predict_layers": 1},
    DSV2 | MLA_SAME | dict(zip(MLA_KEYS, [102400, 5120, 12288, 60, 128, 128, 1536, 160, 2, 6, 1536, 8, 3, 16.0, 1]))
        | {"topk_method": "group_limited_greedy"},
    DSV2 | MLA_SAME | dict(zip(MLA_KEYS, [102400, 2048, 10944, 27, 16, 16, None, 64, 2, 6, 1408, 1, 1, 1.0, 1]))
        | {"topk_method": "greedy"},
    LLAMA | dict(zip(GQA_KEYS, [128256, 4096, 14336, 32, 32, 8, 128, 131072, 500000.0]))
        | {"rope_scaling": LLAMA3 | {"original_max_position_embeddings": 8192}},
    QWEN2 | dict(zip(GQA_KEYS, [152064, 3584, 18944, 28, 28, 4, 128, 131072, 1000000.0])),
    QWEN3 | dict(zip(GQA_KEYS, [151936, 4096, 12288, 36, 32, 8, 128, 40960, 1000000.0])),
    QWEN3 | dict(zip(GQA_KEYS, [151936, 2048, 6144, 48, 32, 4, 128, 40960, 1000000.0])) | {
        "architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe", "moe_intermediate_size": 768,
        "num_experts": 128, "num_experts_per_tok": 8, "norm_topk_prob": True, "decoder_sparse_step": 1,
        "mlp_only_layers": []}]
LONG_ROWS = [0, 1, 2, 63, 100, 1000, 4095, 4096, 4097, 5000, 5198, 5199]

class Float64Torch:
    """Replaces `torch` in the model code: its float32 casts (norm, router, softmax, RoPE) become float64.
    Those that are written x.float() become so in set_precision."""
    float32 = float = torch.float64

    def __getattr__(self, name):
        return getattr(torch, name)

TO_FLOAT32 = torch.Tensor.float

def set_precision(dtype):
    for module in (modeling_deepseek_v2, modeling_deepseek_v3, modeling_llama, modeling_qwen2, modeling_qwen3,
                   modeling_qwen3_moe, modeling_rope_utils):
        module.torch = torch if dtype == torch.float32 else Float64Torch()
    torch.Tensor.float = TO_FLOAT32 if dtype == torch.float32 else torch.Tensor.double
    torch.set_default_dtype(dtype)

def model_class(config):
    return getattr(transformers, config["architectures"][0])

def f32(x):
    """Float64 numbers that float32 holds exactly."""
    return np.asarray(x, np.float32).astype(np.float64)

def write(name, tensors, metadata):
    """A safetensors file, the same bytes at every run (the library's own writer shuffles the metadata)."""
    header, blobs, at = {"__metadata__": metadata}, [], 0
    for key, value in tensors.items():
        value = np.asarray(value)
        value = np.ascontiguousarray(value, np.int32 if value.dtype.kind in "iu" else np.float32)
        assert np.isfinite(value).all(), key
        header[key] = {"dtype": "I32" if value.dtype.kind == "i" else "F32", "shape": list(value.shape),
                       "data_offsets": [at, at + value.nbytes]}
        blobs, at = blobs + [value.tobytes()], at + value.nbytes
    text = json.dumps(header, separators=(",", ":")).encode("ascii")
    text += b" " * (-len(text) % 8)
    with open(os.path.join(HERE, name), "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + b"".join(blobs))
    print(f"{name}: {len(tensors)} tensors, {8 + len(text) + at} bytes")

def disk_names(tensors):
    """Copies of {name: tensor}; fused experts [E, ...] become one tensor per expert, as in checkpoints."""
    out = {}
    for name, value in tensors.items():
        value, stem = value.detach().double().numpy().copy(), name.rsplit(".", 1)[0]
        if name.endswith("experts.gate_up_proj"):
            for e, (gate, up) in enumerate(np.split(v, 2) for v in value):
                out[f"{stem}.{e}.gate_proj.weight"], out[f"{stem}.{e}.up_proj.weight"] = gate, up
        elif name.endswith("experts.down_proj"):
            out |= {f"{stem}.{e}.down_proj.weight": v for e, v in enumerate(value)}
        else:
            out[name] = value
    return out

def buffers(model):
    return {k: v for k, v in model.named_buffers() if k.endswith("e_score_correction_bias")}

def draw_weights(model, config, rng):
    """Gains around 1, biases off 0, matrices of std 1/sqrt(fan in): logits are O(1). With groups the router's
    bias is low, s + b often negative: masking with 0 instead of -inf would then choose other experts."""
    for name, p in (dict(model.named_parameters()) | buffers(model)).items():
        z = rng.standard_normal(tuple(p.shape))
        if name.endswith("e_score_correction_bias"):
            low, high = (-1.0, 0.2) if config["n_group"] > 1 else (-0.4, 0.1)
            if config["num_nextn_predict_layers"]:
                low, high = -0.8, -0.4      # its last depth has few rows, which must reach every expert
            z = rng.uniform(low, high, p.shape)
        elif name.endswith("norm.weight"):
            z = 1 + 0.2 * z
        elif name.endswith(".bias"):
            z = 0.3 * z
        elif "embed_tokens" not in name or config["tie_word_embeddings"]:
            z /= math.sqrt(p.shape[-1])
        p.data.copy_(torch.from_numpy(f32(z)))

class RouterWatch:
    """The smallest margin of any router decision, and how many tokens would have other experts with a mask
    of 0 (V3), or with the other rule for groups (V2)."""
    def __init__(self, model):
        self.margin, self.mask_matters, self.rule_matters = math.inf, 0, 0
        for module in model.modules():
            if type(module).__name__ in ("DeepseekV3TopkRouter", "DeepseekV2TopkRouter", "Qwen3MoeTopKRouter"):
                module.register_forward_hook(self.look)

    def look(self, router, args, output):
        v3, logits, chosen = hasattr(router, "e_score_correction_bias"), output[0].detach(), output[2].sort(-1)[0]
        score = logits.sigmoid() + router.e_score_correction_bias if v3 else logits.softmax(-1)
        T, K, E = len(score), router.top_k, router.num_experts
        groups = getattr(router, "num_group", 1) if getattr(router, "topk_method", "") != "greedy" else 1
        kept = router.topk_group if groups > 1 else 1

        def choose(best, mask):
            group = score.view(T, groups, -1).sort(-1, descending=True)[0][..., :best].sum(-1)
            order = group.sort(-1, descending=True)
            open_ = torch.zeros_like(group).scatter_(1, order[1][:, :kept], 1)
            open_ = open_.repeat_interleave(E // groups, 1) > 0
            return order[0], *score.masked_fill(~open_, mask).sort(-1, descending=True)
        same = lambda ids: (ids[:, :K].sort(-1)[0] == chosen).all(-1)
        group, ranked, ids = choose(2 if v3 else 1, -math.inf)
        assert same(ids).all()     # transformers, too, masks with -inf
        gaps = [ranked[:, K - 1] - ranked[:, K]]
        if groups > kept:
            gaps.append(group[:, kept - 1] - group[:, kept])
        self.margin = min(self.margin, min(float(g.min()) for g in gaps))
        self.mask_matters += int((~same(choose(2 if v3 else 1, 0.0)[2])).sum())
        self.rule_matters += int((~same(choose(1 if v3 else 2, -math.inf)[2])).sum())

def model_new(config):
    cls = model_class(config)
    settings = cls.config_class(**copy.deepcopy(config), attn_implementation="eager",
                                experts_implementation="eager")     # it adds to config's own dictionaries
    model = cls(settings)
    if config.get("num_nextn_predict_layers"):
        mtp.attach(model)
    return model

def evaluate(model, tokens, starts):
    """Logits [T, V], each sequence computed alone, the mean cross-entropy of the T - B next tokens as what
    to note of a training step, and as the loss."""
    spans = list(zip(starts[:-1], starts[1:]))
    logits = torch.cat([model(input_ids=torch.tensor(tokens[a:b])[None]).logits[0] for a, b in spans])
    nll = sum(F.cross_entropy(logits[a:b - 1], torch.tensor(tokens[a + 1:b]), reduction="sum")
              for a, b in spans if b - a > 1)
    loss = nll / (len(tokens) - len(spans))
    return {"logits": logits}, loss, loss

def evaluate_mtp(model, tokens, starts):
    """The same with multi-token prediction: log-probs of every depth; L_main, L_1 .. L_D; the whole loss."""
    logp, parts, loss = mtp.evaluate(model, tokens, starts, MTP_BATCH["loss_from"], MTP_BATCH["weight"])
    return {f"logp/{k}": x for k, x in enumerate(logp)}, torch.stack(parts), loss

def train(model, tokens, starts, adamw=ADAMW, evaluate=evaluate):
    """First results and gradients, then the losses and gradient norms of the steps on the one batch."""
    groups = [{"params": [p for p in model.parameters() if (p.ndim > 1) == matrix],
               "weight_decay": adamw["weight_decay"] * matrix} for matrix in (True, False)]
    optimizer = torch.optim.AdamW(groups, adamw["lr"], (adamw["beta1"], adamw["beta2"]), adamw["eps"])
    first, losses, norms = None, [], []
    for _ in range(adamw["steps"]):
        optimizer.zero_grad()
        results, note, loss = evaluate(model, tokens, starts)
        loss.backward()
        if first is None:
            first = {k: v.detach().double().numpy() for k, v in results.items()}
            first["grads"] = disk_names({k: p.grad for k, p in model.named_parameters()})
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), adamw["max_norm"]).item())
        losses.append(note.tolist())
        optimizer.step()
    losses.append(evaluate(model, tokens, starts)[1].tolist())
    return first, losses, norms

def make_case(name, config, lengths, adamw=ADAMW, evaluate=evaluate, batch={}):
    set_precision(torch.float64)
    for seed in range(1, 1000):
        rng = np.random.default_rng(seed)
        model = model_new(config)
        draw_weights(model, config, rng)
        starts = np.cumsum([0] + lengths)
        tokens = rng.integers(0, config["vocab_size"], starts[-1])
        weights = disk_names(dict(model.named_parameters()) | buffers(model))
        watch = RouterWatch(model)
        with torch.no_grad():
            evaluate(model, tokens, starts)
        if watch.margin < MARGIN:
            continue
        first, losses, norms = train(model, tokens, starts, adamw, evaluate)
        grads = first.pop("grads")
        idle = sum(not g.any() for k, g in grads.items() if k.endswith("down_proj.weight"))
        # Redraw near-ties. With groups the mask must matter. No expert may be idle, but one in dsv3_noq.
        matters = watch.mask_matters if config["model_type"] == "deepseek_v3" else watch.rule_matters
        groups_matter = config.get("n_group", 1) == 1 or matters >= 3 * len(losses)
        if watch.margin >= MARGIN and groups_matter and idle == (name == "dsv3_noq"):
            break
    else:
        raise SystemExit(f"{name}: no seed will do")
    print(f"{name}: seed {seed}, router margin {watch.margin:.2e}, -inf mask sets "
          f"{watch.mask_matters} choices, the rule for groups {watch.rule_matters}, idle experts {idle}, loss {np.round(losses[0], 4)} to "
          f"{np.round(losses[-1], 4)}, gradient norm {norms[0]:.3f}, "
          f"rms {' '.join(f'{k} {v.std():.2f}' for k, v in first.items())}")
    write(f"{name}.safetensors",
          {"tokens": tokens, "starts": starts} | batch | first | {"losses": losses, "grad_norms": norms}
          | {f"w/{k}": v for k, v in weights.items()} | {f"g/{k}": v for k, v in grads.items()},
          {"config": json.dumps(config), "adamw": json.dumps(adamw), "versions": json.dumps(VERSIONS),
           "seed": str(seed), "router_margin": f"{watch.margin:.3e}", "idle_experts": str(idle)})

def make_mtp(name):
    adamw = ADAMW | {"steps": 5, "mtp_weight": MTP_BATCH["weight"]}
    make_case(name, MTP_CASES[name], MTP_BATCH["lengths"], adamw, evaluate_mtp,
              {"loss_from": MTP_BATCH["loss_from"]})

def make_long(name):
    """Logits of some rows of one long sequence. Sharp attention, so that far keys count: with scores of unit
    size the mean over thousands of values would hide a wrong angle."""
    set_precision(torch.float64)
    config, rng = LONG[name], np.random.default_rng(1)
    model = model_new(config)
    draw_weights(model, config, rng)
    for key, p in model.named_parameters():
        if key.endswith("q_proj.weight"):
            p.data.copy_(torch.from_numpy(f32(4 * p.detach().numpy())))
    tokens = rng.integers(0, config["vocab_size"], LONG_ROWS[-1] + 1)
    with torch.no_grad():
        logits = model(input_ids=torch.tensor(tokens)[None]).logits[0][LONG_ROWS].numpy()
    print(f"{name}: logit rms {logits.std():.2f}")
    weights = disk_names(dict(model.named_parameters()))
    write(f"{name}.safetensors",
          {"tokens": tokens, "starts": [0, len(tokens)], "rows": LONG_ROWS, "logits": logits}
          | {f"w/{k}": v for k, v in weights.items()},
          {"config": json.dumps(config), "versions": json.dumps(VERSIONS), "seed": "1"})

def make_plans():
    """The configs above, one a line, with the number of parameters (V3: with its
    layer of multi-token prediction, by mtp.py) as `parameters`."""
    with open(os.path.join(HERE, "plans.jsonl"), "w") as file:
        for config in PUBLISHED:
            with torch.device("meta"):
                model = model_new(config)
            n = sum(p.numel() for p in model.parameters())
            print(f"plans: {config['model_type']}, {n} parameters")
            file.write(json.dumps(config | {"parameters": n}) + "\n")

def make_tiny_llama():
    """What transformers makes of tiny_llama_bf16.safetensors in the folder R1_TEST_DATA, which is not part of
    the project: logits of three texts, and the 40 likeliest ids behind a prompt of 8."""
    set_precision(torch.float64)
    path = os.path.join(os.environ["R1_TEST_DATA"], "tiny_llama_bf16.")
    with open(path + "config.json") as file:
        config = json.load(file)
    model = model_new(config | {"torch_dtype": "float64"})
    with safetensors.safe_open(path + "safetensors", "pt") as file:
        model.load_state_dict({k: file.get_tensor(k).double() for k in file.keys()})
    rng, starts = np.random.default_rng(1), np.cumsum([0, 40, 1, 25])
    tokens = rng.integers(0, config["vocab_size"], starts[-1])
    ids, margin = list(tokens[:8]), math.inf
    with torch.no_grad():
        logits = evaluate(model, tokens, starts)[0]["logits"].numpy()
        for _ in range(40):
            best = model(input_ids=torch.tensor(ids)[None]).logits[0, -1].sort(descending=True)
            margin = min(margin, float(best[0][0] - best[0][1]))
            ids.append(int(best[1][0]))
    print(f"tiny_llama: logit rms {logits.std():.2f}, greedy margin {margin:.1e}")
    assert margin > 1e-3
    write("tiny_llama.safetensors", {"tokens": tokens, "starts": starts, "logits": logits, "greedy": ids},
          {"versions": json.dumps(VERSIONS)})

def make_extras():
    set_precision(torch.float64)
    rng, out, params = np.random.default_rng(20250120), {}, {}

    def record(op, fn, inputs, fixed={}, **settings):
        """Outputs of fn and the gradients d<input> for random upstream gradients d<output>, by autograd."""
        x = {k: torch.from_numpy(f32(v)).requires_grad_() for k, v in inputs.items()}
        results = fn(*x.values())
        up = {k: torch.from_numpy(f32(rng.standard_normal(tuple(v.shape)))) for k, v in results.items()}
        sum((results[k] * up[k]).sum() for k in up).backward()
        params[op] = settings
        out.update({f"{op}/{k}": v for k, v in fixed.items()})
        out.update({f"{op}/{k}": v.detach().numpy() for k, v in (x | results).items()})
        out.update({f"{op}/d{k}": v.numpy() for k, v in (up | {k: v.grad for k, v in x.items()}).items()})

    N = rng.standard_normal
    record("rmsnorm", lambda x, gain: {"y": x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt() * gain},
           {"x": N((5, 17)), "gain": 1 + 0.2 * N(17)}, eps=1e-6)
    record("swiglu", lambda gate, up: {"y": gate / (1 + (-gate).exp()) * up},
           {"gate": 2 * N((3, 17)), "up": N((3, 17))})
    position = np.array([0, 1, 2, 3, 0, 65, 1000])
    for op, half in (("rope_interleaved", False), ("rope_half", True)):
        record(op, lambda x: {"y": rope(x, torch.tensor(position), 10000.0, half)}, {"x": N((7, 3, 6))},
               {"position": position}, theta=10000.0)
    starts = np.array([0, 5, 6, 17])
    for kv in (1, 3):
        record(f"attention_kv{kv}", lambda q, k, v: {"y": attention(q, k, v, starts)},
               {"q": N((17, 3, 7)), "k": N((17, kv, 7)), "v": N((17, kv, 5))}, {"starts": starts},
               scale="1/sqrt(7)", heads=3, kv_heads=kv)

    target = rng.integers(0, 65, 9)

    def logprob(hidden, head):
        logp = (hidden @ head.T / 0.7).log_softmax(-1)
        return {"logprob": logp[range(9), target], "entropy": -(logp.exp() * logp).sum(-1)}
    hidden, head = f32(N((9, 17))), f32(N((65, 17)) / 4)
    record("logprob", logprob, {"hidden": hidden, "head": head}, {"target": target, "logits": hidden @ head.T,
           "argmax": (hidden @ head.T).argmax(-1)}, temperature=0.7)
    record("logprob_only", lambda *x: {"logprob": logprob(*x)["logprob"]}, {"hidden": hidden, "head": head},
           {"target": target}, temperature=0.7)

    starts = np.array([0, 7, 8, 21])
    s = f32(1 / (1 + np.exp(-N((21, 9)))))
    chosen = np.argsort(-(s + rng.uniform(-0.3, 0.3, 9)), 1)[:, :3]     # a biased choice, not the top of s
    loss, per_sequence, f, p, ds = balance_loss(s, starts, chosen, alpha := 0.01)
    out |= {"balance/" + k: v for k, v in {"s": s, "starts": starts, "chosen": chosen, "loss": [loss],
            "loss_per_sequence": per_sequence, "f": f, "p": p, "ds": ds}.items()}
    params["balance"] = {"alpha": alpha, "top_k": 3, "experts": 9}

    loads = np.array([[6, 2, 4, 0, 9, 4, 3], [1, 7, 4, 5, 4, 2, 5], [4] * 7])     # mean 4: those at 4 stay
    bias, gamma = [f32(rng.uniform(-0.1, 0.1, 7))], 0.001
    for load in loads:
        bias.append(bias_update(bias[-1], load, gamma))
    out |= {"bias_update/bias0": bias[0], "bias_update/loads": loads, "bias_update/bias": np.array(bias[1:])}
    params["bias_update"] = {"gamma": gamma}

    c = {"lr": 1e-2, "beta1": 0.9, "beta2": 0.95, "eps": 1e-8, "weight_decay": 0.1}
    p0, grads = f32(N(17)), f32(N((3, 17)))
    grads[:, 4] = 0     # a weight without gradient still decays
    p, m, v = adamw_steps(p0, grads, c)
    out |= {"adamw/p0": p0, "adamw/grads": grads, "adamw/p": p, "adamw/m": m, "adamw/v": v}
    params["adamw"] = c
    g = f32(N(17))
    norm = math.sqrt(g @ g)
    out |= {"clip/g": g, "clip/norm": [norm], "clip/y": g * min(1.0, 1.0 / (norm + 1e-6))}
    params["clip"] = {"max_norm": 1.0, "rule": ADAMW["clip"]}
    params["cosine"] = c = {"peak": 3e-4, "floor": 3e-5, "warmup": 5, "steps": 23}
    out |= {"cosine/lr_from_first": [cosine_lr(t, c, 1) for t in range(27)],
            "cosine/lr_from_zero": [cosine_lr(t, c, 0) for t in range(27)]}
    write("extras.safetensors", out, {"params": json.dumps(params), "versions": json.dumps(VERSIONS)})

def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    print(" ".join(f"{k} {v}" for k, v in VERSIONS.items()))
    if sys.argv[1:] == ["--verify"]:
        import verify_golden
        return verify_golden.verify()
    if sys.argv[1:] == ["--folders"]:
        import verify_folders
        return verify_folders.verify()
    makers = {name: lambda name=name, case=case: make_case(name, *case) for name, case in CASES.items()}
    makers |= {name: lambda name=name: make_mtp(name) for name in MTP_CASES}
    makers |= {name: lambda name=name: make_long(name) for name in LONG}
    makers |= {"extras": make_extras, "plans": make_plans}
    if "R1_TEST_DATA" in os.environ:
        makers["tiny_llama"] = make_tiny_llama
    for name in sys.argv[1:] or makers:
        makers[name]()

if __name__ == "__main__":
    main()
