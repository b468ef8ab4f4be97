# What type checkers and editors read for `import locust` where Acrida is installed: its own types.
# At run time nobody looks at this folder.
from acrida.as_locust.locust import *
from acrida.as_locust.locust import __version__ as __version__
