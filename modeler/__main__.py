"""``python -m modeler``."""

from modeler.cli.main import main

if __name__ == "__main__":
    main()
