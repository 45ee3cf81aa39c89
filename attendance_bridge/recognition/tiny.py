"""Generated networks that find drawn faces: for demonstrations and tests on machines without any model.

They have the inputs and outputs of the real ones (SCRFD, a 112×112 embedder, MiniFASNet) and run through the
same code, but they know nothing of real faces: they find what is drawn by the scheme in `core.drawn_face`, by
its colours. Nobody can be recognised with them.
"""

from __future__ import annotations
