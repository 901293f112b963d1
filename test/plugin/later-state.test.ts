import { vi } from "vitest";

vi.mock("../provider/providers.js", () => import("./wired-providers.js"));

import "../provider/later-state.test.js";
