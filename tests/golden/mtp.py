"""Multi-token prediction in torch, written out from V3 section 2.2; transformers only lends the decoder
layer. Module k = 1 .. D stands behind the L layers of the main model, as layer L + k - 1 of its list: the
main model's own pass stops at num_hidden_layers, and every parameter gets the name that checkpoints use."""
import torch
from torch import nn
from transformers.models.deepseek_v3.modeling_deepseek_v3 import DeepseekV3DecoderLayer, DeepseekV3RMSNorm

def attach(model):
    """Appends config.num_nextn_predict_layers modules to a DeepseekV3ForCausalLM."""
    config, layers = model.config, model.model.layers
    C, eps = config.hidden_size, config.rms_norm_eps
    for _ in range(config.num_nextn_predict_layers):
        layer = DeepseekV3DecoderLayer(config, len(layers))
        layer.enorm, layer.hnorm = DeepseekV3RMSNorm(C, eps), DeepseekV3RMSNorm(C, eps)
        layer.eh_proj = nn.Linear(2 * C, C, bias=False)
        layer.shared_head = nn.ModuleDict({"norm": DeepseekV3RMSNorm(C, eps)})
        layers.append(layer)

def sequence_logprobs(model, tokens):
    """[log P^k of the target of every row, for k = 0 .. D] of one sequence t_0 .. t_{n-1}; k = 0 is the main
    model, fed t_0 .. t_{n-2}. Row i of depth k predicts t_{i+k+1} and exists for i + k + 1 < n; a depth
    without rows is an empty tensor."""
    n, base = len(tokens), model.model
    embed = base.embed_tokens(tokens)
    hidden = base(input_ids=tokens[None, :-1]).last_hidden_state[0]        # after model.norm

    def logprob(h, k):
        return model.lm_head(h).log_softmax(-1)[torch.arange(len(h)), tokens[k + 1:]]

    out = [logprob(hidden, 0)]
    for k, layer in enumerate(base.layers[model.config.num_hidden_layers:], 1):
        rows = max(0, n - 1 - k)
        if rows:
            x = torch.cat([layer.enorm(embed[k:k + rows]), layer.hnorm(hidden[:rows])], -1)
            x = layer.eh_proj(x)[None]
            angles = base.rotary_emb(x, torch.arange(rows)[None])
            mask = torch.full((rows, rows), float("-inf"), dtype=x.dtype).triu(1)[None, None]
            hidden = layer(x, attention_mask=mask, position_embeddings=angles)[0]
            out.append(logprob(layer.shared_head.norm(hidden), k))
        else:
            out.append(torch.zeros(0))
    return out

def evaluate(model, tokens, starts, loss_from, weight):
    """([log-probs of depth k, all sequences], [L_main, L_1 .. L_D], the loss L_main + weight / D sum_k L_k).
    Token t of a sequence carries loss when t >= max(1, loss_from); N of them do, and every L_k is divided by
    this N, also where depth k has no row for a token (V3 eq. 24)."""
    D = model.config.num_nextn_predict_layers
    first = [max(1, int(f)) for f in loss_from]
    N = sum(max(0, b - a - f) for a, b, f in zip(starts[:-1], starts[1:], first))
    logp, parts = [[] for _ in range(D + 1)], [0.0] * (D + 1)
    for a, b, f in zip(starts[:-1], starts[1:], first):
        for k, row in enumerate(sequence_logprobs(model, torch.tensor(tokens[a:b]))):
            logp[k].append(row)
            parts[k] = parts[k] - row[max(0, f - k - 1):].sum() / N
    return [torch.cat(x) for x in logp], parts, parts[0] + weight / D * sum(parts[1:])
