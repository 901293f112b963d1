import { vi } from "vitest";

// Files of tests share a process, and with it what is installed. Our own modules, which remember what a program has
// declared, are loaded anew for each file.
vi.resetModules();
