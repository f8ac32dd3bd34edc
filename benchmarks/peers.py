"""Other viewers of notebooks, as their users would write them, for `benchmarks.browser`.

Each shows the same volume, and goes to the next slice by the wheel on its picture, or by an arrow key on its slider.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["PEERS", "VOLUME", "Peer"]

VOLUME: Final = """
import numpy as np
from IPython.display import display

SHAPE = (300, 512, 512)
# Rings around the middle tell the number of a slice in whatever size, turn or mirror image it is drawn.
radius = np.hypot(*np.meshgrid(np.arange(512) - 255.5, np.arange(512) - 255.5))
ring = (radius // 20).astype(int)
rng = np.random.default_rng(0)
noise = rng.integers(-60, 60, (8, 512, 512)).astype("int16")
values = np.empty(SHAPE, "int16")
for k in range(SHAPE[0]):
    bits = np.array([1, *(k >> bit & 1 for bit in range(9)), 1, 0, 0, 0, 0, 0, 0, 0, 0])
    values[k] = np.where(bits[ring], 1000, -600) + noise[k % 8]
"""
"""A cell that makes ``values``: 512 x 512 x 300 of int16."""

# A line from the middle to the right is enough to know the slice.
READ: Final = """
// What WebGL has drawn is gone by the time it is read, unless it is told to keep it.
const getContext = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, options) {
    const kept = String(kind).startsWith("webgl") ? { ...options, preserveDrawingBuffer: true } : options;
    return getContext.call(this, kind, kept);
};
window.readSlice = (picture, share) => {
    if (!picture) return -1;
    const wide = picture.naturalWidth ?? picture.width, high = picture.naturalHeight ?? picture.height;
    if (!wide || !high) return -1;
    const context = (window.readSlice.context ??= new OffscreenCanvas(256, 1).getContext("2d", { willReadFrequently: true }));
    context.clearRect(0, 0, 256, 1);
    context.drawImage(picture, wide / 2, high / 2, share * Math.min(wide, high) / 2, 1, 0, 0, 256, 1);
    const { data } = context.getImageData(0, 0, 256, 1);
    const bright = (ring) => data[4 * Math.round(ring * 20 + 10)] > 127;
    if (!bright(0) || !bright(10) || bright(11)) return -1;
    let slice = 0;
    for (let bit = 0; bit < 9; bit++) if (bright(bit + 1)) slice |= 1 << bit;
    return slice;
};
"""


@dataclass(frozen=True)
class Peer:
    """A viewer: what is written in the cell, and how the page is asked and driven."""

    name: str
    cell: str
    picture: str
    """Script for the element that holds the pixels."""
    step: str
    """Script that goes to the next slice."""
    share: float = 1.0
    """Which part of the element's shorter side the 512 pixels fill."""
    needs: tuple[str, ...] = ()
    nudged: bool = False
    """Whether it opens on a blend of two slices, so that it has to be stepped before one can be read."""


_SLIDER = """(() => {
    const handle = document.querySelector(".noUi-handle");
    handle.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true, cancelable: true }));
})()"""


def _wheel(selector: str) -> str:
    return f"""(() => {{
        const one = document.querySelector("{selector}");
        const box = one.getBoundingClientRect();
        const where = {{ clientX: box.left + box.width / 2, clientY: box.top + box.height / 2 }};
        one.dispatchEvent(new WheelEvent("wheel", {{ deltaY: 100, bubbles: true, cancelable: true, ...where }}));
    }})()"""


FLOOR: Final = Peer(
    "a canvas that does nothing else",
    "print('floor')",
    "document.querySelector('#floor')",
    _wheel("#floor"),
)
"""Its slices are made in the page (`FILL`), and painted by the handler of the wheel itself."""

FILL: Final = """
() => {
    const canvas = Object.assign(document.createElement("canvas"), { id: "floor", width: 512, height: 512 });
    document.querySelector(".jp-OutputArea-output").replaceChildren(canvas);
    const context = canvas.getContext("2d");
    const slices = Array.from({ length: 300 }, (_, k) => {
        const bits = [1, ...Array.from({ length: 9 }, (_, bit) => (k >> bit) & 1), 1];
        const image = new ImageData(512, 512);
        const words = new Uint32Array(image.data.buffer);
        for (let y = 0, i = 0; y < 512; y++) for (let x = 0; x < 512; x++, i++)
            words[i] = bits[Math.floor(Math.hypot(x - 255.5, y - 255.5) / 20)] ? 0xffe0e0e0 : 0xff202020;
        return image;
    });
    let at = 0;
    const paint = () => context.putImageData(slices[at], 0, 0);
    const next = (event) => {
        event.preventDefault();
        at = (at + 1) % 300;
        paint();
    };
    canvas.addEventListener("wheel", next, { passive: false });
    paint();
}
"""

DICOMLAB: Final = Peer(
    "dicomlab",
    """
import dicomlab as dl
volume = dl.make_volume(values, affine=np.diag([1.0, 1, 1, 1])[[2, 1, 0, 3]], units="HU")
browser = dl.browse(volume, window=(200, 1600), height=512, index=0)
browser
""",
    "document.querySelector('.dl-canvas')",
    _wheel(".dl-stage"),
)

PEERS: Final = (
    Peer(
        "interact + matplotlib",
        """
%matplotlib inline
import matplotlib.pyplot as plt
from ipywidgets import interact
@interact(k=(0, 299))
def show(k=0):
    figure = plt.figure(figsize=(5.12, 5.12), dpi=100)
    figure.add_axes([0, 0, 1, 1]).imshow(values[k], cmap="gray", vmin=-600, vmax=1000)
    plt.axis("off")
    plt.show()
""",
        "document.querySelector('.jp-OutputArea-output img, .jp-RenderedImage img')",
        _SLIDER,
    ),
    Peer(
        "ipympl",
        """
%matplotlib widget
import matplotlib.pyplot as plt
from ipywidgets import IntSlider
plt.ioff()
figure = plt.figure(figsize=(5.12, 5.12), dpi=100)
axes = figure.add_axes([0, 0, 1, 1])
image = axes.imshow(values[0], cmap="gray", vmin=-600, vmax=1000)
slider = IntSlider(0, 0, 299)
def show(change):
    image.set_data(values[change["new"]])
    figure.canvas.draw_idle()
slider.observe(show, "value")
display(slider, figure.canvas)
""",
        "document.querySelector('.jupyter-matplotlib-canvas-div canvas')",
        _SLIDER,
        needs=("ipympl",),
    ),
    Peer(
        "stackview",
        """
import stackview
display(stackview.slice(values, slice_number=0, continuous_update=True, display_min=-800, display_max=1300))
""",
        "document.querySelector('.jp-OutputArea-output canvas')",
        _SLIDER,
        needs=("stackview",),
    ),
    Peer(
        "ipyniivue",
        """
import nibabel, tempfile, os
from ipyniivue import NiiVue, SliceType
path = os.path.join(tempfile.mkdtemp(), "volume.nii")
nibabel.save(nibabel.Nifti1Image(np.ascontiguousarray(values.transpose(2, 1, 0)), np.eye(4)), path)
viewer = NiiVue(height=512)
viewer.load_volumes([{"path": path}])
viewer.set_slice_type(SliceType.AXIAL)
viewer.opts.is_radiological_convention = True
display(viewer)
""",
        "document.querySelector('.jp-OutputArea-output canvas')",
        _wheel(".jp-OutputArea-output canvas"),
        needs=("ipyniivue", "nibabel"),
        nudged=True,
    ),
)
