"""One file per screen; a screen hands immutable view data to its widgets."""
