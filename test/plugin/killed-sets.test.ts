import { vi } from "vitest";

vi.mock("../provider/providers.js", () => import("./wired-providers.js"));

// A file of its own, since it puts another client in the place of the vault's.
import "../provider/killed-sets.test.js";
