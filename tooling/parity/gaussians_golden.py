"""Regenerates packages/gaussians/test/golden/gaussians.json.

Run: python tooling/parity/gaussians_golden.py
Needs: torch 2.13 (CPU).
Ten scenes drawn by the formulas of 3D Gaussian splatting in plain PyTorch (gsplat's semantics: blur of 0.3 px^2, alpha at most 0.99, nothing below
1/255, stop at transmittance 1e-4), every pixel over every Gaussian without tiles, and the gradients of sum(output * cotangent) by autograd: in
float64, and once more in float32. Inputs are numbers that float32 holds exactly.
How far a rasterizer in single precision may be off is measured too: `spread` is what float64 results change by when what a kernel keeps of a
Gaussian is rounded to float32 and every alpha gets a relative error of up to 16 units of float32, at random. That is an exponential whose argument
was divided by 8 and which is squared three times (8 + 4 + 2 + 1 roundings), and the product before it.
A scene is made so that no decision (a cut-off, the stop, the clamp, a colour of 0, the margin of the frustum) hangs on rounding.
"""
import base64
import json
import math

import torch

from golden import ROOT, header

OUT = ROOT / "packages/gaussians/test/golden"
BLUR, LEAST_COMPENSATION, MOST_ALPHA, LEAST_ALPHA, LEAST_TRANSMITTANCE, LEAST_DIVISOR, MARGIN = 0.3, 0.005, 0.99, 1 / 255, 1e-4, 1e-10, 0.3
# No decision may be nearer than this, relative to what it is compared with.
CLEARANCE = 1e-4
C0, C1 = 0.28209479177387814, 0.4886025119029199
C2 = (1.0925484305920792, -1.0925484305920792, 0.31539156525252005, -1.0925484305920792, 0.5462742152960396)
C3 = (-0.5900435899266435, 2.890611442640554, -0.4570457994644658, 0.3731763325901154, -0.4570457994644658, 1.445305721320277, -0.5900435899266435)
UNIT = 2.0**-24
ALPHA_UNITS = 16
DRAWS = 8
PARAMETERS = ("means", "quaternions", "logScales", "opacityLogits", "sh", "colors", "features", "background", "worldToCamera")


def rotations(quaternions):
    """[N, 3, 3] from (w, x, y, z), normalised first."""
    w, x, y, z = (quaternions / quaternions.norm(dim=1, keepdim=True)).unbind(1)
    rows = [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y), 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x), 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]
    return torch.stack(rows, dim=1).reshape(-1, 3, 3)


def harmonics(directions, degree):
    """[N, (degree + 1)^2], with the order and the signs of Gaussian files."""
    x, y, z = directions.unbind(1)
    basis = [torch.full_like(x, C0), -C1 * y, C1 * z, -C1 * x]
    basis += [C2[0] * x * y, C2[1] * y * z, C2[2] * (2 * z * z - x * x - y * y), C2[3] * x * z, C2[4] * (x * x - y * y)]
    basis += [C3[0] * y * (3 * x * x - y * y), C3[1] * x * y * z, C3[2] * y * (4 * z * z - x * x - y * y), C3[3] * z * (2 * z * z - 3 * x * x - 3 * y * y)]
    basis += [C3[4] * x * (4 * z * z - x * x - y * y), C3[5] * z * (x * x - y * y), C3[6] * x * (x * x - 3 * y * y)]
    return torch.stack(basis[: (degree + 1) ** 2], dim=1)


class Decisions:
    """How near a decision was to being taken the other way, and how often each of them was taken."""

    def __init__(self):
        self.least = math.inf
        self.counts = {}

    def count(self, name, mask):
        self.counts[name] = int(mask.sum())

    def see(self, values, threshold, where=None):
        distance = ((values.detach() - threshold) / (threshold if threshold != 0 else 1)).abs()
        distance = distance if where is None else distance[where]
        if distance.numel() > 0:
            self.least = min(self.least, distance.min().item())


def fade(product):
    """A cut-off with a continuous slope, from half of 1/255 to one and a half."""
    u = (product / LEAST_ALPHA - 0.5).clamp(0, 1)
    return torch.where(product > MOST_ALPHA, torch.full_like(product, MOST_ALPHA), product * u * u * (3 - 2 * u))


def project(p, camera, options, decisions):
    """What the picture needs of each Gaussian, and which are drawn."""
    fx, fy, cx, cy, width, height = (camera[name] for name in ("fx", "fy", "cx", "cy", "width", "height"))
    view = p["worldToCamera"].reshape(3, 4)
    turn, shift = view[:, :3], view[:, 3]
    at = p["means"] @ turn.T + shift
    x, y, z = at.unbind(1)
    spread = rotations(p["quaternions"]) * p["logScales"].exp()[:, None, :]
    covariance = spread @ spread.transpose(1, 2)
    decisions.see(z, options["near"])
    visible = z >= options["near"]
    decisions.count("behind the near plane", ~visible)
    # What is behind the plane must not turn gradients to NaN.
    z = torch.where(visible, z, torch.ones_like(z))
    zero = torch.zeros_like(z)
    if camera["kind"] == "orthographic":
        jacobian = torch.stack([zero + fx, zero, zero, zero, zero + fy, zero], dim=1).reshape(-1, 2, 3)
        centre = torch.stack([fx * x + cx, fy * y + cy], dim=1)
    else:
        limits = [(-cx / fx - MARGIN * width / (2 * fx), (width - cx) / fx + MARGIN * width / (2 * fx)), (-cy / fy - MARGIN * height / (2 * fy), (height - cy) / fy + MARGIN * height / (2 * fy))]
        for ratio, (low, high) in ((x / z, limits[0]), (y / z, limits[1])):
            decisions.see(ratio, low, visible)
            decisions.see(ratio, high, visible)
        tx, ty = (x / z).clamp(*limits[0]), (y / z).clamp(*limits[1])
        decisions.count("beyond the margin of the picture", visible & ((tx != x / z) | (ty != y / z)))
        jacobian = torch.stack([fx / z, zero, -fx * tx / z, zero, fy / z, -fy * ty / z], dim=1).reshape(-1, 2, 3)
        centre = torch.stack([fx * x / z + cx, fy * y / z + cy], dim=1)
    slope = jacobian @ turn
    flat = slope @ covariance @ slope.transpose(1, 2)
    a, b, c = flat[:, 0, 0], flat[:, 0, 1], flat[:, 1, 1]
    sharp, blurred = a * c - b * b, (a + BLUR) * (c + BLUR) - b * b
    opacity = torch.sigmoid(p["opacityLogits"])
    if options["antialiasing"] == "mip":
        decisions.see(sharp / blurred, LEAST_COMPENSATION**2, visible)
        decisions.count("least compensation", visible & (sharp / blurred < LEAST_COMPENSATION**2))
        opacity = opacity * (sharp / blurred).clamp(min=LEAST_COMPENSATION**2).sqrt()
    conic = torch.stack([(c + BLUR) / blurred, -b / blurred, (a + BLUR) / blurred], dim=1)
    if "colors" in p:
        color = p["colors"]
    else:
        eye = -(turn.T @ shift)
        offset = p["means"] - eye
        basis = harmonics(offset / offset.norm(dim=1, keepdim=True), options["degree"])
        raw = (basis[:, :, None] * p["sh"][:, : basis.shape[1]]).sum(1) + 0.5
        decisions.see(raw, 0)
        decisions.count("colour of 0", raw < 0)
        color = raw.clamp(min=0)
    channels = torch.cat([color, p["features"]], dim=1) if "features" in p else color
    return visible, z, centre, conic, opacity, channels


def keep(values):
    """Rounded to float32; the gradient passes as if it were not."""
    return values + (values.float().double() - values).detach()


def render(p, camera, options, decisions, disturbed=None):
    """Outputs, and the centres with a copy for each pixel, whose gradients densification looks at. `disturbed` draws rounding errors."""
    visible, z, centre, conic, opacity, channels = project(p, camera, options, decisions)
    if disturbed is not None:
        z, centre, conic, opacity, channels = map(keep, (z, centre, conic, opacity, channels))
    rows = torch.nonzero(visible)[:, 0]
    rows = rows[torch.argsort(z.detach()[rows], stable=True)]
    width, height = camera["width"], camera["height"]
    j, i = torch.meshgrid(torch.arange(height, dtype=centre.dtype), torch.arange(width, dtype=centre.dtype), indexing="ij")
    pixels = torch.stack([i.flatten(), j.flatten()], dim=1) + 0.5
    centres = centre[rows][None].expand(len(pixels), -1, -1)
    if centres.requires_grad:
        centres.retain_grad()
    dx, dy = (centres - pixels[:, None]).unbind(2)
    A, B, C = conic[rows].unbind(1)
    product = opacity[rows] * torch.exp(-(0.5 * (A * dx * dx + C * dy * dy) + B * dx * dy))
    if disturbed is not None:
        product = product * (1 + ALPHA_UNITS * UNIT * (2 * torch.rand(product.shape, generator=disturbed, dtype=torch.float64) - 1))
    decisions.see(product, MOST_ALPHA)
    decisions.count("alpha of 0.99", product > MOST_ALPHA)
    if options["cutoff"] == "smooth":
        alpha = fade(product)
    else:
        decisions.see(product, LEAST_ALPHA)
        alpha = torch.where(product < LEAST_ALPHA, torch.zeros_like(product), product.clamp(max=MOST_ALPHA))
        after = torch.cumprod(1 - alpha.detach(), dim=1)
        decisions.see(after, LEAST_TRANSMITTANCE, alpha > 0)
        decisions.count("behind the stop", (alpha > 0) & (after <= LEAST_TRANSMITTANCE))
        alpha = alpha * (after > LEAST_TRANSMITTANCE)
    after = torch.cumprod(1 - alpha, dim=1)
    before = torch.cat([torch.ones_like(after[:, :1]), after[:, :-1]], dim=1)
    weight = alpha * before
    remaining = after[:, -1]
    out = {"color": weight @ channels[rows] + remaining[:, None] * p["background"], "alpha": 1 - remaining}
    if options["depth"] != "none":
        depth = weight @ z[rows]
        out["depth"] = depth / out["alpha"].clamp(min=LEAST_DIVISOR) if options["depth"] == "expected" else depth
    return out, centres, rows


def normal(vector):
    return vector / vector.norm()


def look_at(eye, target):
    """Rows of [R | t] in OpenCV's axes, y down."""
    eye, target = torch.tensor(eye, dtype=torch.float64), torch.tensor(target, dtype=torch.float64)
    forward = normal(target - eye)
    right = normal(torch.linalg.cross(forward, torch.tensor([0.0, -1.0, 0.0], dtype=torch.float64)))
    down = torch.linalg.cross(forward, right)
    turn = torch.stack([right, down, forward])
    return torch.cat([turn, -(turn @ eye)[:, None]], dim=1).flatten()


SCENES = {
    "degree 0": dict(count=24, degree=0),
    "degree 1, principal point, background": dict(count=20, degree=1, centre=(0.3, 0.65), aspect=1.25, background=True),
    "degree 2, mip, smaller than pixels": dict(count=30, degree=2, scales=(0.0008, 0.06), opacities=(0.6, 0.98), antialiasing="mip", background=True),
    "degree 3, accumulated depth": dict(count=16, degree=3, depth="accumulated"),
    "degree 3, mip, expected depth": dict(count=16, degree=3, antialiasing="mip", depth="expected", background=True),
    "features and colours": dict(count=18, degree=0, features=5, colors=True, depth="expected", background=True),
    "orthographic, degree 2, mip, accumulated depth": dict(count=20, degree=2, kind="orthographic", antialiasing="mip", depth="accumulated", background=True),
    "near plane, beside the picture": dict(count=30, degree=1, near=0.5, eye=(0.2, -0.1, -0.6), means=1.6, scales=(0.05, 0.5), background=True),
    "opaque crowd, stop and clamp": dict(count=40, degree=1, opacities=(0.9, 0.998), scales=(0.3, 1.2), background=True),
    "smooth cut-off, degree 1 of 3, expected depth, a feature": dict(count=12, degree=3, used=1, features=1, cutoff="smooth", depth="expected", antialiasing="mip", background=True),
}


def make(spec, seed):
    """Inputs of a scene, all of them float32 numbers in float64."""
    g = torch.Generator().manual_seed(seed)

    def between(shape, low, high):
        return (low + (high - low) * torch.rand(shape, generator=g, dtype=torch.float64)).float().double()

    n, k, size = spec["count"], (spec["degree"] + 1) ** 2, 24
    low, high = spec.get("scales", (0.04, 0.35))
    opacity = between((n,), *spec.get("opacities", (0.05, 0.95)))
    reach = spec.get("means", 1.0)
    p = {"means": between((n, 3), -reach, reach), "quaternions": between((n, 4), -1, 1), "logScales": between((n, 3), math.log(low), math.log(high)),
         "opacityLogits": torch.log(opacity / (1 - opacity)).float().double(), "sh": between((n, k, 3), -0.7, 0.7), "worldToCamera": look_at(spec.get("eye", (0.3, -0.4, -3.0)), (0.1, 0.05, 0.0)).float().double()}
    features = spec.get("features", 0)
    if features > 0:
        p["features"] = between((n, features), -1, 1)
    if spec.get("colors"):
        p["colors"] = between((n, 3), 0, 1)
    p["background"] = between((3 + features,), 0, 1) if spec.get("background") else torch.zeros(3 + features, dtype=torch.float64)
    kind = spec.get("kind", "pinhole")
    focal = 1.3 * size if kind == "pinhole" else size / 3
    right, down = spec.get("centre", (0.45, 0.55))
    single = lambda value: torch.tensor(value).float().item()
    camera = {"kind": kind, "width": size, "height": size - 5, "fx": single(focal), "fy": single(focal * spec.get("aspect", 1.0)), "cx": single(right * size), "cy": single(down * (size - 5))}
    options = {"antialiasing": spec.get("antialiasing", "none"), "depth": spec.get("depth", "none"), "near": single(spec.get("near", 0.01)), "cutoff": spec.get("cutoff", "hard"), "degree": spec.get("used", spec["degree"])}
    return p, camera, options, g


def run(inputs, camera, options, cotangents, dtype, disturbed=None):
    """Outputs and gradients in a precision."""
    p = {name: value.detach().clone().to(dtype).detach().requires_grad_() for name, value in inputs.items()}
    decisions = Decisions()
    out, centres, rows = render(p, camera, options, decisions, disturbed)
    sum((out[name] * cotangents[name].to(dtype).reshape(out[name].shape)).sum() for name in out).backward()
    gradients = {name: p[name].grad if p[name].grad is not None else torch.zeros_like(p[name]) for name in PARAMETERS if name in p}
    for name, values in (("means2d", centres.grad.sum(0)), ("absoluteMeans2d", centres.grad.abs().sum(0))):
        gradients[name] = torch.zeros(len(p["means"]), 2, dtype=dtype).index_copy(0, rows, values)
    return {name: value.detach() for name, value in out.items()}, gradients, decisions.least, decisions.counts


def cotangents_for(out, options, g):
    draw = lambda shape: (2 * torch.rand(shape, generator=g, dtype=torch.float64) - 1).float().double()
    v = {name: draw(value.shape) for name, value in out.items()}
    if options["depth"] == "expected":
        # The quotient says nothing where next to nothing was drawn.
        v["depth"] = v["depth"] * (out["alpha"] > 0.02)
    return v


def case(number, name, spec):
    for seed in range(1000 * number, 1000 * number + 200):
        inputs, camera, options, g = make(spec, seed)
        out, _, least, counts = run(inputs, camera, options, zeros(inputs, camera), torch.float64)
        if least >= CLEARANCE:
            break
    else:
        raise SystemExit(f"{name}: no scene that keeps its distance from decisions")
    cotangents = cotangents_for(out, options, g)
    double = run(inputs, camera, options, cotangents, torch.float64)
    single = run(inputs, camera, options, cotangents, torch.float32)
    draws = [run(inputs, camera, options, cotangents, torch.float64, torch.Generator().manual_seed(draw)) for draw in range(DRAWS)]
    spread = {f"{kind}/{key}": max(farthest(draw[at][key], truth) for draw in draws) for at, kind in ((0, "outputs"), (1, "gradients")) for key, truth in double[at].items()}
    stored = {"inputs": inputs, "cotangents": cotangents, "outputs": double[0], "gradients": double[1], "outputs32": single[0], "gradients32": single[1]}
    arrays = {kind: {key: encoded(value, torch.float64 if kind in ("outputs", "gradients") else torch.float32) for key, value in values.items()} for kind, values in stored.items()}
    return {"name": name, "seed": seed, "clearance": float(f"{least:.3g}"), "decisions": counts, "count": spec["count"], "degree": spec["degree"], "camera": camera, "options": options, "spread": spread} | arrays


def farthest(values, truth):
    """The largest difference over the largest magnitude."""
    largest = truth.abs().max().item()
    return 0 if largest == 0 else float(f"{(values - truth).abs().max().item() / largest:.3g}")


def encoded(tensor, dtype):
    """Little-endian elements in base64."""
    return {"dtype": str(dtype).removeprefix("torch."), "shape": list(tensor.shape), "data": base64.b64encode(tensor.to(dtype).contiguous().numpy().tobytes()).decode()}


def zeros(inputs, camera):
    """Cotangents for a run that only looks how near decisions are."""
    pixels = camera["width"] * camera["height"]
    return {"color": torch.zeros(pixels, len(inputs["background"])), "alpha": torch.zeros(pixels), "depth": torch.zeros(pixels)}


def main():
    cases = [case(number, name, spec) for number, (name, spec) in enumerate(SCENES.items())]
    tolerance = {"float64": 1e-10, "of": "largest magnitude"}
    golden = header("gaussians_golden.py", tolerance, torch=torch.__version__) | {"cases": cases}
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "gaussians.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    for golden_case in cases:
        print(golden_case["name"], golden_case["seed"], golden_case["clearance"], golden_case["decisions"])


if __name__ == "__main__":
    main()
