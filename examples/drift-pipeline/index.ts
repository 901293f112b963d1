import * as keyvault from "pulumi-keyvault";

// The private key comes from the environment of whoever deploys. The pipeline that watches does not have it: the
// recorded thumbprint stands in for it.
const signing = new keyvault.Key("signing", {
  name: "orders-signing",
  import: { env: "ORDERS_SIGNING_PEM" },
  keyOps: ["sign", "verify"],
  tags: { team: "orders" },
});

const tls = new keyvault.Key("tls", {
  name: "orders-tls",
  generate: { keyType: "EC", curve: "P-256" },
  tags: { team: "orders" },
});

// Tells keys that somebody adds to the vault by hand.
new keyvault.KeyInventory("vault", { expect: [signing, tls] });

export const thumbprint = signing.thumbprint;
