import { PolicyPack, validateResourceOfType, validateStackResourcesOfType } from "@pulumi/policy";
import { Key, KeyPolicyFacts, Secret, SecretPolicyFacts } from "pulumi-keyvault";

const SMALLEST_RSA = 3072;

new PolicyPack("keyvault", {
  enforcementLevel: "mandatory",
  policies: [
    {
      name: "key-expires",
      description: "Every key expires, by itself or by its rotation policy.",
      validateResource: validateResourceOfType(Key, (props, _args, report) => {
        if (!new KeyPolicyFacts(props).expires) report("set expiresOn, or rotationPolicy.expireAfter");
      }),
    },
    {
      name: "nothing-is-purged",
      description: "No key or secret is purged: what is deleted can be recovered.",
      validateResource: [
        validateResourceOfType(Key, (props, _args, report) => {
          if (new KeyPolicyFacts(props).onDelete === "purge") report('onDelete must not be "purge"');
        }),
        validateResourceOfType(Secret, (props, _args, report) => {
          if (new SecretPolicyFacts(props).onDelete === "purge") report('onDelete must not be "purge"');
        }),
      ],
    },
    {
      name: "rsa-size",
      description: `A generated RSA key has at least ${SMALLEST_RSA} bits.`,
      validateResource: validateResourceOfType(Key, (props, _args, report) => {
        const { rsaSize } = new KeyPolicyFacts(props);
        if (rsaSize !== undefined && rsaSize < SMALLEST_RSA) report(`it has ${rsaSize} bits`);
      }),
    },
    {
      // The size of a key that is imported, restored or adopted is known when it is there.
      name: "rsa-size-of-imports",
      description: `An RSA key from elsewhere has at least ${SMALLEST_RSA} bits.`,
      validateStack: validateStackResourcesOfType(Key, (keys, _args, report) => {
        for (const props of keys) {
          const { name, generated, rsaSize } = new KeyPolicyFacts(props);
          if (!generated && rsaSize !== undefined && rsaSize < SMALLEST_RSA)
            report(`key "${name}" has ${rsaSize} bits`);
        }
      }),
    },
  ],
});
