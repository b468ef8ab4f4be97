"""``python -m acrida`` is the ``acrida`` command."""

from acrida import main

main()
