"""Where runs are written besides their own files; a tracker is a file here, or a class of somebody else's."""
