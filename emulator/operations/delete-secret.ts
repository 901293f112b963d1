import { beginDeletion, readable } from "../lifecycle.js";
import { currentOrNamed } from "../named-version.js";
import { defineOperation } from "../operation.js";
import { renderDeletedSecretBundle } from "../secret-bundle.js";
import { forbidden } from "../service-error.js";

/** The whole secret; a certificate's secret goes with its certificate only. */
export const deleteSecret = defineOperation({
  name: "deleteSecret",
  method: "DELETE",
  routes: ["/secrets/{name}"],
  permission: { collection: "secrets", action: "delete", dataAction: "delete" },
  throttle: "secret",
  planes: ["vault"],
  mode: "write",
  handle: (context) => {
    const object = readable(context, "secrets");
    if (object.managed) {
      throw forbidden(
        'Operation "delete" is not allowed on this secret, since it is associated with a certificate. Perform the operation on the corresponding certificate. For more information refer to https://docs.microsoft.com/en-us/azure/key-vault/certificates/about-certificates#composition-of-a-certificate',
        "SecretManagedByKeyVault",
      );
    }
    const version = currentOrNamed(context, object);
    beginDeletion(context, object);
    return { status: 200, body: renderDeletedSecretBundle(context, object, version) };
  },
});
