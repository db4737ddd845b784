"""diffusers beside Langevin in the benchmark of pipelines: opens a checkpoint, makes a step, says so, and then does what each line of its input asks for.

Run by `npm run bench -- pipelines`: python pipelines_peer.py <folder> <threads> <float32|bfloat16>. Never needed by users or tests.
"""
import json
import sys
import time

import torch

folder, threads, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]
torch.set_num_threads(threads)
torch.set_grad_enabled(False)

from diffusers import StableDiffusionPipeline  # noqa: E402

dtype = getattr(torch, kind)
pipe = StableDiffusionPipeline.from_pretrained(folder, torch_dtype=dtype, safety_checker=None)
if dtype != torch.float32:
    # The fastest form on this kind of machine.
    pipe.unet.to(memory_format=torch.channels_last)
    pipe.vae.to(memory_format=torch.channels_last)
text, none = pipe.encode_prompt("a photograph of a red cat", "cpu", 1, True)
both = torch.cat([none, text])
x = torch.randn(1, 4, 64, 64, generator=torch.Generator().manual_seed(0)).to(dtype)
if dtype != torch.float32:
    x = x.to(memory_format=torch.channels_last)


def step():
    return pipe.unet(torch.cat([x, x]), torch.tensor(500), encoder_hidden_states=both).sample


def decode():
    return pipe.vae.decode(x / pipe.vae.config.scaling_factor).sample


def say(**answer):
    print(json.dumps(answer), flush=True)


def peak():
    with open("/proc/self/status") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM"))


step()
say(ready=True, torch=torch.__version__)
for line in sys.stdin:
    name = json.loads(line)["case"]
    if name == "memory":
        say(bytes=peak())
        continue
    start = time.perf_counter()
    {"step": step, "decode": decode}[name]()
    say(ms=1000 * (time.perf_counter() - start))
