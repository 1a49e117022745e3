"""One file per widget; a widget paints what it is given and reads nothing else."""
