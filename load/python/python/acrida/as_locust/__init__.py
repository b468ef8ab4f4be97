"""Importing this package makes ``import locust`` mean Acrida, in a program of one's own.

    import acrida.as_locust  # before the first import of locust
    from locust.env import Environment

``python -m acrida.script program.py`` does it for a program that is left as it is.
"""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))

if not getattr(sys.modules.get("locust"), "__file__", _HERE).startswith(_HERE):
    raise ImportError("locust has been imported already, and is not Acrida's: import acrida.as_locust first")
if _HERE not in sys.path:
    sys.path.insert(0, _HERE)
