import { SdksUnavailableError } from "./sdks/provision-sdks.mts";
import { writeSdks } from "./sdks/write-sdks.mts";

// npm run sdks [-- FOLDER]: writes the SDKs of the plugin for Node, Python and Go, by default to sdks/.

try {
  console.log(`${await writeSdks(process.argv[2])}: nodejs, python, go`);
} catch (error) {
  if (!(error instanceof SdksUnavailableError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
