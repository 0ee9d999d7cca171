"""A local AWS that deploys the real template and runs the real handlers: MiniStack plus what it lacks."""
