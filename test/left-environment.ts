import { afterAll, vi } from "vitest";

// Files share a process: what one of them has put into the environment is no other's.
afterAll(() => vi.unstubAllEnvs());
