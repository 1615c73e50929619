"""People that do not exist: parametric heads from CC0 shapes, rendered with numpy and OpenCV."""

from vultus.synthetic.clip import render_clip
from vultus.synthetic.head import HeadModel
from vultus.synthetic.person import Person, make_person
from vultus.synthetic.render import Render, render, render_jpeg
from vultus.synthetic.scene import Scene, make_scene
from vultus.synthetic.sheet import contact_sheet

__all__ = [
    "HeadModel",
    "Person",
    "Render",
    "Scene",
    "contact_sheet",
    "make_person",
    "make_scene",
    "render",
    "render_clip",
    "render_jpeg",
]
