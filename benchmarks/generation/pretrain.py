#!/usr/bin/env python3
"""Pre-trains a small base model of texts on a CPU: a decoder (Qwen2) or an encoder-decoder (T5 v1.1).

  python3 pretrain.py --family qwen2 --out bases/qwen2-small --hours 1.5 TEXT...
  python3 pretrain.py --family t5 --out bases/t5-small --hours 1.5 TEXT...

TEXT are files of lines or of JSON objects a line (every string in them is read), such as the train.jsonl of tasks. The
tokenizer is trained first (byte-level BPE, 6,000 tokens). The decoder learns to go on (documents one after the other in rows of
256 tokens); the encoder-decoder half of the time fills in what was left out (Raffel et al. 2020, section 3.1.4: 15 % of the
tokens, spans of 3) and half of the time goes on with a text from its middle. AdamW, warm-up and cosine decay over the hours given.
Every five minutes the state is written to OUT/state.pt, and a run that is started again goes on from there. At the end OUT is a
Hugging Face directory that `tributary finetune --base OUT --train-embeddings` takes.

Needs torch, transformers, tokenizers.
"""
import argparse
import json
import math
import os
import random
import time

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM, T5Config, T5ForConditionalGeneration

PAD, END, UNKNOWN = "<pad>", "</s>", "<unk>"
SENTINELS = 32
VOCABULARY = 6000
LENGTH = 256
BATCH = 8
WARM_UP = 0.03


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for entry in value.values():
            yield from strings(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from strings(entry)


def texts(files):
    for name in files:
        with open(name, encoding="utf-8") as file:
            for line in file:
                line = line.strip()
                if line.startswith("{"):
                    yield " ".join(strings(json.loads(line)))
                elif line:
                    yield line


def train_tokenizer(lines, out):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = [PAD, END, UNKNOWN] + [f"<extra_id_{i}>" for i in range(SENTINELS)]
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(lines, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=PAD, eos_token=END, unk_token=UNKNOWN)
    fast.save_pretrained(out)
    return fast


def new_model(family, size):
    if family == "qwen2":
        return Qwen2ForCausalLM(Qwen2Config(
            vocab_size=size, hidden_size=256, intermediate_size=768, num_hidden_layers=6, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=512, tie_word_embeddings=True, bos_token_id=None, eos_token_id=1,
            pad_token_id=0))
    return T5ForConditionalGeneration(T5Config(
        vocab_size=size, d_model=256, d_kv=64, d_ff=640, num_layers=4, num_decoder_layers=4, num_heads=4,
        feed_forward_proj="gated-gelu", tie_word_embeddings=True, dropout_rate=0.0, decoder_start_token_id=0, eos_token_id=1,
        pad_token_id=0))


def corrupted(tokens, rng):
    """What is read and what is to be answered: some spans are left out and named."""
    gone = max(1, round(len(tokens) * 0.15))
    spans = max(1, min(SENTINELS, round(gone / 3)))
    starts = sorted(rng.sample(range(len(tokens)), min(spans, len(tokens))))
    read, answer, at = [], [], 0
    for number, start in enumerate(starts):
        if start < at:
            continue
        read += tokens[at:start] + [3 + number]
        at = min(len(tokens), start + 3)
        answer += [3 + number] + tokens[start:at]
    return read + tokens[at:] + [1], answer + [1]


def padded(rows, value):
    width = max(len(row) for row in rows)
    return torch.tensor([row + [value] * (width - len(row)) for row in rows])


def batch(family, documents, rng):
    if family == "qwen2":
        rows = []
        for _ in range(BATCH):
            row = []
            while len(row) < LENGTH:
                row += documents[rng.randrange(len(documents))] + [1]
            rows.append(row[:LENGTH])
        ids = torch.tensor(rows)
        return dict(input_ids=ids, labels=ids)
    reads, answers = [], []
    for _ in range(3 * BATCH):
        tokens = documents[rng.randrange(len(documents))][:120]
        if rng.random() < 0.5 and len(tokens) > 3:
            cut = rng.randrange(1, len(tokens))
            read, answer = tokens[:cut] + [1], tokens[cut:] + [1]
        else:
            read, answer = corrupted(tokens, rng)
        reads.append(read)
        answers.append(answer)
    ids = padded(reads, 0)
    return dict(input_ids=ids, attention_mask=(ids != 0).long(), labels=padded(answers, -100))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", choices=["qwen2", "t5"], required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--hours", type=float, default=1.5, help="of computing, over all runs (default: 1.5)")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("text", nargs="+")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    os.makedirs(options.out, exist_ok=True)
    lines = list(dict.fromkeys(texts(options.text)))
    if os.path.exists(os.path.join(options.out, "tokenizer.json")):
        tokenizer = PreTrainedTokenizerFast.from_pretrained(options.out)
    else:
        tokenizer = train_tokenizer(lines, options.out)
    documents = [ids for ids in tokenizer(lines, add_special_tokens=False)["input_ids"] if ids]
    model = new_model(options.family, len(tokenizer))
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {sum(map(len, documents)):,} tokens", flush=True)
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW(
        [dict(params=decayed, weight_decay=0.1), dict(params=others, weight_decay=0.0)], lr=options.learning_rate, betas=(0.9, 0.95))
    state_file = os.path.join(options.out, "state.pt")
    step, used = 0, 0.0
    if os.path.exists(state_file):
        state = torch.load(state_file)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        step, used = state["step"], state["used"]
    rng = random.Random(options.seed + step)
    limit = options.hours * 3600
    model.train()
    saved, mean = used, None
    while used < limit:
        # The processor's time, so that a paused or crowded machine does not shorten the training.
        begun = time.process_time()
        done = used / limit
        rate = options.learning_rate * min(1, done / WARM_UP, 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done)))
        for group in optimizer.param_groups:
            group["lr"] = max(rate, 1e-6)
        loss = model(**batch(options.family, documents, rng)).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        used += (time.process_time() - begun) / options.threads
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        if step % 100 == 0:
            print(f"step {step}, {used / 60:.1f} of {limit / 60:.0f} min, loss {mean:.3f}", flush=True)
        if used - saved > 300 or used >= limit:
            saved = used
            torch.save(dict(model=model.state_dict(), optimizer=optimizer.state_dict(), step=step, used=used), state_file + ".part")
            os.replace(state_file + ".part", state_file)
    model.save_pretrained(options.out)
    os.remove(state_file)


if __name__ == "__main__":
    main()
