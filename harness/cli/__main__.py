"""``python -m harness.cli`` is the ``shadow`` command."""

from harness.cli.main import main

main()
