// ReDoc would make a worker for its search out of a string, which the page's policy forbids; without workers it searches here.
delete globalThis.Worker;
